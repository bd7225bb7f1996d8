#!/usr/bin/env bash
# ./do RECIPE [ARGUMENTS]: prepares what the recipe needs on this machine, quickly when nothing is missing, then runs it.
# ./do alone lists the recipes. They stand in the justfile, each with what it needs in [metadata('needs', ...)].
set -Eeuo pipefail
# Never a silent end: what is not foreseen below names its line.
trap 'echo "do: unexpected failure in line $LINENO of ./do ($BASH_COMMAND)" >&2' ERR

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
cd "$root"
venv=$root/.venv
stamps=$root/.state/stamps
logs=$root/.state/logs

# An outer environment must not leak into ours.
unset VIRTUAL_ENV CONDA_PREFIX PYTHONHOME PYTHONPATH UV_PYTHON UV_PROJECT UV_SYSTEM_PYTHON
export UV_PROJECT_ENVIRONMENT=$venv UV_NO_PROGRESS=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
export PATH=$venv/bin:$PATH

# A company's own certificates lie in the system's store; uv and node look there only when told.
if [ -s /etc/ssl/certs/ca-certificates.crt ]; then
  export UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-1} NODE_USE_SYSTEM_CA=${NODE_USE_SYSTEM_CA:-1}
fi

say() { printf 'do: %s\n' "$*" >&2; }

# die SENTENCE [HINT...]: what is wrong, then what to do, a line each.
die() {
  printf '\ndo: %s\n' "$1" >&2
  shift
  local line
  for line in "$@"; do printf '    %s\n' "$line" >&2; done
  exit 1
}

# logged NAME COMMAND...: run it with its output in a log; its head and end are shown when it fails.
logged() {
  local log=$logs/$1.log
  shift
  "$@" >"$log" 2>&1 </dev/null 9>&- || {
    sed -n '1,10p' "$log" >&2
    if [ "$(wc -l <"$log")" -gt 25 ]; then echo '    …' >&2; fi
    tail -n +11 "$log" | tail -n 15 >&2
    say "the whole output is in ${log#"$root/"}"
    return 1
  }
}

hash_of() { sha256sum | cut -c1-40; }
stamped() { [ "$(cat "$stamps/$1" 2>/dev/null)" = "$2" ]; }
stamp() { printf '%s\n' "$2" >"$stamps/$1"; }

# --- system packages ---------------------------------------------------------------------------------------------------

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

can_apt() {
  command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }
}

apt_get() { as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -y "$@"; }

apt_update() { say "updating the list of packages …" && logged apt-update apt_get update; }

# apt_install PACKAGE...: an old or empty list of packages is refreshed once.
apt_install() {
  say "installing $* …"
  logged apt apt_get install --no-install-recommends "$@" 2>/dev/null ||
    { apt_update && logged apt apt_get install --no-install-recommends "$@"; }
}

# --- Python ------------------------------------------------------------------------------------------------------------

# Asked of a candidate by running it, since a shim may stand for nothing. Prints "RANK EXECUTABLE": with pip's installer
# before without, then 3.13 and 3.12 before newer ones, for which wheels may be missing.
ask_python='
import sys, sysconfig
v = sys.version_info
if v < (3, 12) or v.releaselevel != "final" or sysconfig.get_config_var("Py_GIL_DISABLED"): sys.exit(1)
try: import ensurepip, venv; whole = 1
except ImportError: whole = 0
print(whole * 1000 + (500 + v.minor if v.minor <= 13 else 300 - v.minor), sys._base_executable)
'

python_candidates() {
  local name path
  for name in python3.13 python3.12 python3.14 python3.15 python3 python; do
    type -aP "$name" 2>/dev/null || true
  done
  for path in "${PYENV_ROOT:-${HOME:-/root}/.pyenv}"/versions/*/bin/python3 \
    "${HOME:-/root}"/.local/share/uv/python/cpython-3.*/bin/python3 /usr/local/bin/python3 /usr/bin/python3; do
    if [ -x "$path" ]; then printf '%s\n' "$path"; fi
  done
}

# The .venv to be made can't be its own maker.
python_candidates_elsewhere() { python_candidates | awk -v own="$venv/" 'index($0, own) != 1 && !seen[$0]++'; }

find_python() {
  python_candidates_elsewhere | while IFS= read -r candidate; do
    (cd / && "$candidate" -I -c "$ask_python" 2>/dev/null </dev/null) || true
  done | sort -rn | head -n 1
}

tried_pythons() {
  python_candidates_elsewhere | while IFS= read -r candidate; do
    printf 'tried %s: %s\n' "$candidate" "$(cd / && "$candidate" --version 2>&1 </dev/null | head -n 1)"
  done
}

# Debian and Ubuntu ship Python without venv, and small images without Python.
apt_python() {
  can_apt || return 1
  apt-cache show python3 >/dev/null 2>&1 || apt_update || return 1
  dpkg --compare-versions "$(apt-cache policy python3 | awk '/Candidate:/ {print $2}')" ge 3.12 || return 1
  apt_install python3 python3-venv
}

choose_python() {
  local found rank
  found=$(find_python)
  rank=${found%% *}
  if [ "${rank:-0}" -lt 1000 ] && ! command -v uv >/dev/null && apt_python; then
    found=$(find_python)
    rank=${found%% *}
  fi
  if [ -n "$found" ]; then python=${found#* }; else no_python; fi
  [ "$rank" -ge 1000 ] || command -v uv >/dev/null || die "$python has no venv module." \
    "Install it:  sudo apt-get install python3-venv"
}

no_python() {
  local tried
  mapfile -t tried < <(tried_pythons)
  die "no Python 3.12 or newer was found on PATH, among pyenv's versions or uv's." \
    "Debian 13, Ubuntu 24.04 or newer:  sudo apt-get install python3 python3-venv" \
    "with pyenv:                        pyenv install 3.13" \
    "with uv:                           uv python install 3.13" "${tried[@]}"
}

venv_works() { [ -x "$venv/bin/uv" ] && "$venv/bin/python" -I -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; }

# Scripts in .venv/bin name the folder they were made in: one that was copied or moved runs the other checkout.
venv_is_at_home() { [ ! -e "$venv/bin/just" ] || [ "$(cat "$venv/.home" 2>/dev/null || echo "$root")" = "$root" ]; }

make_venv() {
  if [ -e "$venv" ]; then
    say "making .venv anew: it is incomplete, or was made in another folder"
    rm -rf "$venv"
  fi
  choose_python
  say "making .venv with $python …"
  if (cd / && "$python" -I -c 'import ensurepip' 2>/dev/null); then
    logged venv "$python" -m venv "$venv" || die "$python could not make .venv." \
      "On Debian or Ubuntu this helps:  sudo apt-get install python3-venv"
    logged uv "$venv/bin/python" -m pip install --quiet uv || die "uv could not be installed into .venv." \
      "Is the Python package index reachable? Behind a proxy set HTTPS_PROXY, with a mirror PIP_INDEX_URL."
  else
    logged venv uv venv --python "$python" "$venv" && logged uv uv pip install --python "$venv/bin/python" uv ||
      die "uv could not make .venv with $python."
  fi
  rm -f "$stamps/python"
}

prepare_python() {
  if ! venv_works || ! venv_is_at_home; then make_venv; fi
  local want
  want=$({ printf '%s\n' "$root"; cat uv.lock pyproject.toml; } | hash_of)
  stamped python "$want" && [ -x "$venv/bin/just" ] && return
  say "installing the Python packages of uv.lock …"
  logged uv-sync "$venv/bin/uv" sync --frozen || die "the packages of uv.lock could not be installed." \
    "Is the Python package index reachable? Behind a proxy set HTTPS_PROXY, with a mirror UV_DEFAULT_INDEX." \
    "If .venv looks broken, remove it and run this again:  rm -rf .venv"
  printf '%s\n' "$root" >"$venv/.home"
  stamp python "$want"
}

# --- Postgres ----------------------------------------------------------------------------------------------------------

postgis_package() {
  local package have
  for have in /usr/lib/postgresql/*/bin/postgres; do
    package=postgresql-$(basename "$(dirname "$(dirname "$have")")")-postgis-3
    if [ -x "$have" ] && apt-cache show "$package" >/dev/null 2>&1; then
      printf '%s\n' "$package"
      return
    fi
  done
  apt-cache pkgnames postgresql- | grep -E '^postgresql-[0-9]+-postgis-3$' | sort -V | tail -n 1
}

apt_postgres() {
  local package server settings=/etc/postgresql-common/createcluster.d made
  package=$(postgis_package)
  if [ -z "$package" ]; then
    apt_update || return 1
    package=$(postgis_package)
  fi
  [ -n "$package" ] || return 1
  server=${package%-postgis-3}
  # Ours is private: Debian's own server is neither made nor started. Later installations are as they were.
  made=$settings/callout-none.conf
  as_root mkdir -p "$settings"
  printf 'create_main_cluster = false\n' | as_root tee "$made" >/dev/null
  apt_install "$server" "$package" || { as_root rm -f "$made"; return 1; }
  as_root rm -f "$made"
}

docker_postgres() {
  command -v docker >/dev/null && timeout 10 docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1 || return 1
  say "starting PostGIS with docker compose …"
  logged docker docker compose up --detach --wait db || return 1
  export DATABASE_URL=postgresql://callout:callout@127.0.0.1:${CALLOUT_DB_PORT:-54329}/callout
}

prepare_postgres() {
  if [ -n "${DATABASE_URL:-}" ]; then
    "$venv/bin/python" -m callout.cluster check >/dev/null || exit 1
    return
  fi
  "$venv/bin/python" -m callout.cluster check >/dev/null 2>&1 && return
  if can_apt && apt_postgres && "$venv/bin/python" -m callout.cluster check >/dev/null; then return; fi
  docker_postgres && return
  local package
  package=$(postgis_package 2>/dev/null || true)
  die "PostgreSQL with PostGIS is needed. One of three:" \
    "install it:      sudo apt-get install postgresql ${package:-"'postgresql-*-postgis-3'"}" \
    "give a server:   DATABASE_URL=postgresql://SUPERUSER:PASSWORD@HOST:5432/postgres ./do $recipe" \
    "let Docker run:  start a Docker engine with its compose plugin, then ./do $recipe"
}

# --- Chromium ----------------------------------------------------------------------------------------------------------

# Ubuntu's chromium-browser may be a script that only asks for a snap: what counts is whether it runs.
find_chromium() {
  local candidate
  for candidate in chromium google-chrome google-chrome-stable chromium-browser \
    "${PLAYWRIGHT_BROWSERS_PATH:-${HOME:-/root}/.cache/ms-playwright}"/chromium-*/chrome-linux*/chrome; do
    if candidate=$(command -v "$candidate") && timeout 30 "$candidate" --version >/dev/null 2>&1 </dev/null; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  return 1
}

prepare_chromium() {
  if [ -n "${CALLOUT_CHROMIUM+given}" ]; then return; fi
  export CALLOUT_CHROMIUM
  CALLOUT_CHROMIUM=$(cat "$stamps/chromium" 2>/dev/null || true)
  if [ -x "$CALLOUT_CHROMIUM" ]; then return; fi
  if ! CALLOUT_CHROMIUM=$(find_chromium); then
    # On Ubuntu the package of this name is a snap's shell.
    if can_apt && ! grep -qs '^ID=ubuntu' /etc/os-release; then apt_install chromium || true; fi
    CALLOUT_CHROMIUM=$(find_chromium) || CALLOUT_CHROMIUM=
  fi
  stamp chromium "$CALLOUT_CHROMIUM"
  [ -n "$CALLOUT_CHROMIUM" ] || say "no Chromium here: the browser tests are skipped, the others run." \
    "Debian: apt-get install chromium; elsewhere: .venv/bin/playwright install --with-deps chromium; or CALLOUT_CHROMIUM=PATH."
}

# --- fonts -------------------------------------------------------------------------------------------------------------

# Reports are printed in Chinese too. Debian's package serves the browser as well; without root, npm brings the same.
prepare_fonts() {
  if [ -n "${CALLOUT_FONTS:-}" ] || compgen -G '/usr/share/fonts/opentype/noto/NotoSansCJK*' >/dev/null ||
    [ -d .state/fonts/node_modules ]; then return; fi
  if can_apt && apt_install fonts-noto-cjk; then return; fi
  say "fetching a Chinese font (60 MB, once) …"
  logged fonts npm install --prefix "$root/.state/fonts" --no-audit --no-fund --no-save \
    @expo-google-fonts/noto-sans-sc@0.4.3 || die "no Chinese font could be had for reports." \
    "Install one:  sudo apt-get install fonts-noto-cjk   or name a folder that has Noto Sans SC in CALLOUT_FONTS."
}

# --- the web -----------------------------------------------------------------------------------------------------------

prepare_node() {
  if [ ! -f web/package-lock.json ]; then return; fi
  local want
  want=$({ printf '%s\n' "$root"; node --version; cat web/package-lock.json; } | hash_of)
  stamped node "$want" && [ -d web/node_modules ] && return
  say "installing the web's packages …"
  logged npm npm --prefix "$root/web" ci --no-audit --no-fund || die "npm could not install web/package-lock.json." \
    "Is the npm registry reachable? Behind a proxy set HTTPS_PROXY, with a mirror NPM_CONFIG_REGISTRY."
  stamp node "$want"
}

web_sources() {
  find web $([ ! -d docs/openapi ] || echo docs/openapi) -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/.vite/*' \
    -not -name '*.tsbuildinfo' -print0 | LC_ALL=C sort -z | xargs -0r sha256sum
}

prepare_web() {
  if [ ! -f web/package-lock.json ]; then return; fi
  prepare_node
  local want
  want=$(web_sources | hash_of)
  stamped web "$want" && [ -f web/apps/board/dist/index.html ] && return
  say "building the web …"
  logged web npm --prefix "$root/web" run build || die "the web could not be built; its errors stand above."
  stamp web "$want"
}

# Machine code that Python would otherwise make while somebody waits for a plan.
prepare_planner() {
  local want
  want=$(cat server/dispatch/planner/*.py uv.lock | hash_of)
  stamped planner "$want" && return
  say "compiling the planner …"
  logged planner "$venv/bin/python" -m server.dispatch.planner || die "the planner could not be compiled."
  stamp planner "$want"
}

# --- run ---------------------------------------------------------------------------------------------------------------

# The needs that the justfile declares for a recipe.
needs_of() {
  just --dump --dump-format json | "$venv/bin/python" -c '
import json, sys
recipe = json.load(sys.stdin)["recipes"].get(sys.argv[1], {"attributes": []})
for attribute in recipe["attributes"]:
    name, *needs = attribute.get("metadata", [""]) if isinstance(attribute, dict) else [""]
    if name == "needs": print(*needs)
' "$1"
}

just() { "$venv/bin/just" --justfile "$root/justfile" --working-directory "$root" "$@"; }

prepare() {
  mkdir -p "$stamps" "$logs" 2>/dev/null && [ -w "$stamps" ] && [ -w "$logs" ] || die \
    "$root/.state can't be written, probably since an earlier run as root." \
    "Take it back:  sudo chown -R $(id -un) '$root'"
  # Two at once would trip over each other's half-made .venv.
  exec 9>"$root/.state/do.lock"
  flock --nonblock 9 || { say "waiting for another ./do to finish preparing …" && flock 9; }
  prepare_python
  local need
  for need in $(needs_of "$recipe"); do
    case $need in
      postgres) prepare_postgres ;;
      chromium) prepare_chromium ;;
      fonts) prepare_fonts ;;
      node) prepare_node ;;
      web) prepare_web ;;
      planner) prepare_planner ;;
      *) die "the justfile says that '$recipe' needs '$need', which ./do doesn't know." ;;
    esac
  done
  exec 9>&-
}

recipe=${1:-}
prepare
case $recipe in
  '' | -h | --help | --list | list) just --list --unsorted --list-heading $'./do RECIPE [ARGUMENTS]\n' ;;
  # just keeps an interrupt from its recipe, so `kill -INT` of ./do would end nothing: these two take our place instead.
  demo | dev) shift && exec "$venv/bin/callout" "$recipe" "$@" ;;
  *) exec "$venv/bin/just" --justfile "$root/justfile" --working-directory "$root" "$@" ;;
esac
