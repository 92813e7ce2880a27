# The policies of cwsync.yaml once more, for conftest or OPA, on what `cwsync plan --format json` prints.
package main

import rego.v1

deny contains msg if {
	some verdict in verdicts
	not verdict.policy in warnings
	msg := sprintf("%s: %s", [verdict.policy, verdict.address])
}

warn contains msg if {
	some verdict in verdicts
	verdict.policy in warnings
	msg := sprintf("%s: %s", [verdict.policy, verdict.address])
}

warnings := {"owners"}

prod if input.cwsync.environment == "prod"

# Labels are given to cwsync: --label, or CWSYNC_LABELS.
label(name) if name in input.cwsync.labels

# What a plan does. What is in place already, and what is gone already, is nobody's concern.
changes contains change if {
	some change in input.resource_changes
	happens(change)
	not contains(change.address, " ") # what remains of a replacement was judged when it was replaced
	object.get(change, "action_reason", "") != "it is gone from the tenant already"
}

happens(change) if change.change.actions != ["no-op"]

happens(change) if change.change.importing

happens(change) if change.previous_address

# connections-stay
verdicts contains {"policy": "connections-stay", "address": change.address} if {
	prod
	not label("platform-approved")
	some change in changes
	change.type == "cloudworks_connection"
	some action in change.change.actions
	action in {"delete", "forget"}
}

# no-destroy-without-a-label
verdicts contains {"policy": "no-destroy-without-a-label", "address": change.address} if {
	prod
	not label("platform-approved")
	not label("destroy-approved")
	some change in changes
	"delete" in change.change.actions
}

# names
verdicts contains {"policy": "names", "address": change.address} if {
	some change in made
	change.type in {"cloudworks_integration", "cloudworks_flow"}
	not regex.match(`^(?:(ACME|EMEA) .+)$`, change.change.after.name)
}

# owners
verdicts contains {"policy": "owners", "address": change.address} if {
	some change in made
	change.type in {"cloudworks_integration", "cloudworks_flow"}
	not change.owner
}

# quiet-hours
verdicts contains {"policy": "quiet-hours", "address": change.address} if {
	prod
	some change in made
	change.type == "cloudworks_schedule"
	schedule := change.change.after
	schedule.enabled
	breaks_quiet_hours(schedule)
}

made contains change if {
	some change in changes
	change.change.after != null
}

breaks_quiet_hours(schedule) if schedule.timezone != "Europe/Paris"

breaks_quiet_hours(schedule) if schedule.dayOfWeek in weekend

breaks_quiet_hours(schedule) if {
	some day in schedule.daysOfWeek
	day in weekend
}

# On every day, or on a day of the month, which comes to fall on each.
breaks_quiet_hours(schedule) if {
	not schedule.dayOfWeek
	not schedule.daysOfWeek
}

breaks_quiet_hours(schedule) if by_day(minutes(schedule.time))

# An hourly schedule fires every so many hours, from its first time to its last.
breaks_quiet_hours(schedule) if {
	schedule.type == "hourly"
	first := minutes(schedule.fromTime)
	some minute in numbers.range(first, minutes(schedule.toTime))
	(minute - first) % (60 * schedule.repeatEvery) == 0
	by_day(minute)
}

weekend := {0, 6} # Sunday, Saturday

by_day(minute) if {
	minute > minutes("06:00")
	minute < minutes("20:00")
}

# Digit by digit, because "08" is no number.
minutes(time) := ((600 * digit(time, 0)) + (60 * digit(time, 1))) + ((10 * digit(time, 3)) + digit(time, 4))

digit(time, at) := to_number(substring(time, at, 1))
