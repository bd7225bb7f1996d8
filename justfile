# The developer's day. Run through ./do, which prepares what [metadata('needs', ...)] names: postgres, planner, web, node, fonts, chromium.
set positional-arguments
set quiet
set shell := ["bash", "-euo", "pipefail", "-c"]

[private]
default:
    just --list --unsorted

# Start the living system: a seeded region and day, played by a simulator; Ctrl-C stops all of it
[group('run')]
[metadata('needs', 'postgres', 'planner', 'web', 'fonts')]
demo *ARGS:
    exec callout demo "$@"

# Start everything with reload on change and a seeded day, logs in the terminal
[group('run')]
[metadata('needs', 'postgres', 'planner', 'web', 'fonts')]
dev *ARGS:
    exec callout dev "$@"

# Serve API and pages alone
[group('run')]
[metadata('needs', 'postgres', 'planner', 'web', 'fonts')]
serve *ARGS:
    exec callout serve "$@"

# Run the background worker alone
[group('run')]
[metadata('needs', 'postgres', 'planner', 'fonts')]
worker *ARGS:
    exec callout worker "$@"

# Check style, types, imports, dependencies, the API's description and the web: exactly what CI checks
[group('work')]
[metadata('needs', 'node')]
check:
    #!/usr/bin/env bash
    set -uo pipefail
    failed=()
    run() {
      printf '\n--- %s\n' "$1"
      "${@:2}" || failed+=("$1")
    }
    run "ruff format" ruff format --check .
    run "ruff" ruff check .
    run "imports" lint-imports
    run "types" mypy
    run "dependencies" deptry .
    run "openapi" callout openapi --check
    if [ -f web/package.json ]; then
      run "web client" npm --prefix web run client
      run "web" npm --prefix web run check
    fi
    if [ ${#failed[@]} -gt 0 ]; then
      printf '\nfailed: %s\n' "${failed[*]}"
      exit 1
    fi
    printf '\nall checks passed\n'

# Run the tests in parallel and random order, on a private Postgres: ./do test -k words, ./do test tests/unit
[group('work')]
[metadata('needs', 'postgres', 'planner', 'web', 'fonts', 'chromium')]
test *ARGS:
    #!/usr/bin/env bash
    set -uo pipefail
    pytest -n auto --maxprocesses 8 --dist loadgroup --durations 20 "$@"
    status=$?
    python -m callout.cluster stop --profile test --if-unused >/dev/null
    exit $status

# Kill API, worker and Postgres again and again while a company works; nothing acknowledged may be lost or doubled
[group('work')]
[metadata('needs', 'postgres', 'planner', 'fonts')]
crash-loop *ARGS:
    exec python -m tests.chaos.crash_loop "$@"

# Try to break the sync by a seeded simulation of phones, office and faults: ./do soak-sync --steps 1000000 --seed 7
[group('work')]
[metadata('needs', 'postgres')]
soak-sync *ARGS:
    exec python -m tests.soak "$@"

# Measure: ./do bench sync, plan, day or geo [--quick]; prints each figure beside its limit, and all of them as JSON
[group('work')]
[metadata('needs', 'postgres', 'planner')]
bench WHAT *ARGS:
    exec python -m "benchmarks.$1" "${@:2}"

# Format and fix what can be fixed by itself
[group('work')]
[metadata('needs', 'node')]
fix:
    ruff check --fix .
    ruff format .
    if [ -f web/package.json ]; then npm --prefix web run fix; fi

# Send a thousand files with tuspy and tus-js-client through cuts, to an API that gets killed: --files N --seed S
[group('work')]
[metadata('needs', 'postgres', 'web')]
interop-files *ARGS:
    python -m tests.interop.thousand "$@"

# Write a migration for changed tables: ./do migrate "why it changes"
[group('work')]
[metadata('needs', 'postgres')]
migrate WHY:
    callout db revise "$1"

# Write the API's description to docs/openapi and the web's client from it
[group('work')]
[metadata('needs', 'node')]
openapi *ARGS:
    callout openapi "$@"
    if [ -f web/package.json ]; then npm --prefix web run openapi; fi

# Say what this machine has and lacks
[group('help')]
doctor:
    #!/usr/bin/env bash
    set -uo pipefail
    python - <<'PYTHON'
    import platform, shutil, os
    print(f"system    {platform.platform()}, {os.cpu_count()} cores")
    print(f"python    {platform.python_version()} in .venv")
    print(f"disk      {shutil.disk_usage('.').free // 10**9} GB free")
    PYTHON
    echo "node      $(node --version), npm $(npm --version)"
    echo "postgres  $(python -m callout.cluster check 2>&1)"
    for profile in demo test; do echo "          $(python -m callout.cluster status --profile $profile 2>&1)"; done
    chromium=$(cat .state/stamps/chromium 2>/dev/null)
    echo "chromium  $([ -x "$chromium" ] && echo "$chromium" || echo 'none known yet: ./do test looks for it')"
    echo "board     $([ -f web/apps/board/dist/index.html ] && echo built || echo 'built by ./do demo')"
    echo "docker    $(timeout 10 docker info >/dev/null 2>&1 && echo 'an engine answers' || echo 'no engine (none needed)')"

# Delete what ./do made: databases, map data, logs, web build, .venv
[group('help')]
[confirm('This deletes .state with the demo database and its files, .venv and the web build. Go on?')]
clean:
    for profile in demo test; do python -m callout.cluster remove --profile $profile; done
    rm -rf .state web/node_modules web/apps/*/dist web/packages/*/dist .venv
