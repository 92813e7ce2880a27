"""completion: the script by which a shell completes cwsync's commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from cwsync.cli.settings import Settings, with_settings
from cwsync.errors import Exit


@click.command("completion")
@with_settings("text")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(settings: Settings, shell: str) -> int:
    """Print the script that makes a shell complete commands, options, addresses and environments.

    \b
    bash:  echo 'eval "$(cwsync completion bash)"' >> ~/.bashrc
    zsh:   echo 'eval "$(cwsync completion zsh)"' >> ~/.zshrc
    fish:  cwsync completion fish > ~/.config/fish/completions/cwsync.fish
    """
    made = get_completion_class(shell)
    assert made is not None
    root = click.get_current_context().find_root()
    settings.show(made(root.command, {}, "cwsync", "_CWSYNC_COMPLETE").source())
    return Exit.OK
