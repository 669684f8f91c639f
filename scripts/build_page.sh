#!/usr/bin/env bash
# Builds the report page, web/dist/index.html, where npm is there and the page is older than its
# sources; `make` calls it before it builds kappa. Never fails a build: a kappa without the page does
# everything but --html, and says so.
set -uo pipefail
cd "$(dirname "$0")/../web"
page=dist/index.html
if [ -f $page ] && [ -z "$(find src index.html package-lock.json vite.config.ts -newer $page -print -quit)" ]; then
  exit 0
fi
if ! command -v npm >/dev/null; then
  echo "The report page (--html) is not built: npm is missing (apt-get install npm, then make)."
  exit 0
fi
echo "Building the report page with npm (once; the first time it loads packages)"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install=true
if [ node_modules/.package-lock.json -nt package-lock.json ]; then install=false; fi
# Not `npm ci`: it refuses a lock file that lacks the bundler's optional packages for other systems,
# and a registry that mirrors one system has only that one's. Versions are the lock file's both ways.
if { ! $install || npm install --no-save --no-audit --no-fund --prefer-offline --fetch-retries=1; } \
  >"$log" 2>&1 &&
  npm run build >>"$log" 2>&1; then
  touch $page
  exit 0
fi
echo "The report page could not be built; kappa is built without it, and --html will say so:"
grep -i -m 3 -E "npm err(!|or)|error TS" "$log" || tail -n 3 "$log"
