#!/usr/bin/env bash
# scripts/demo.sh KAPPA [FOLDER]: what `make demo` shows with the program KAPPA. Results stay in
# FOLDER (default demo-out): numbers as JSON, and two pages for a browser. Under three minutes on two
# cores.
set -euo pipefail
kappa=${1:-build/release/bin/kappa}
out=${2:-demo-out}
mkdir -p "$out"
seconds=$SECONDS

say() { printf '\n== %s\n\n' "$*"; }
# Shows a command as a user would type it, then runs it.
show() {
  printf '$ kappa'
  for word in "$@"; do
    case "$word" in
      *[\ \(\)\*\^]*) printf ' "%s"' "$word" ;;
      *) printf ' %s' "$word" ;;
    esac
  done
  printf '\n\n'
  # Exit status 1 means: answered as far as a limit allowed, which the text then says.
  "$kappa" "$@" || [ $? -eq 1 ]
}

# A kappa without the page still shows everything else.
pages=true
if ! missing=$("$kappa" analyze "x^2" --at x=1 --quiet --html "$out/formula.html" 2>&1 >/dev/null); then
  pages=false
fi

formula=("100*(y - x^2)^2 + (1 - x)^2" --at x=-1.2,y=1)
network=(mlp:784-64-10:tanh --data fashion-mnist --scale 1/255 --loss cross-entropy)

say "1. A formula: Rosenbrock's valley at its classic start, (-1.2, 1)"
show analyze "${formula[@]}" --learning-rate 0.002 --json "$out/formula.json"

say "2. Three methods race from there"
show compare "${formula[@]}" --methods gd,lbfgs,newton \
  --json "$out/race.json"

say "3. A network: 50,890 weights, three passes over the 60,000 pictures of Fashion-MNIST"
show train "${network[@]}" --method sgd --learning-rate 0.1 --epochs 3 --track-curvature 1 \
  --out "$out/weights.npz" --json "$out/training.json"

say "4. Its curvature there, on 10,000 pictures: what would the next steps meet?"
show analyze "${network[@]}" --samples 10000 --weights "$out/weights.npz" \
  --top 10 --density --trace --per-layer --learning-rate 0.1 --json "$out/curvature.json"

say "5. The landscape around it, on 2,000 pictures: eigenvectors, then random directions"
for along in top,bottom random,random; do
  show landscape "${network[@]}" --samples 2000 --weights "$out/weights.npz" --along $along \
    --json "$out/landscape-${along%,*}.json"
done

if $pages; then
  say "6. What was found, as pages"
  show report "$out/formula.json" "$out/race.json" --html "$out/formula.html"
  show report "$out/training.json" "$out/curvature.json" "$out/landscape-top.json" \
    "$out/landscape-random.json" --html "$out/network.html"
fi

say "Done in $((SECONDS - seconds)) s"
folder=$(cd "$out" && pwd)
if $pages; then
  cat <<TEXT
Two pages for your browser, each one file that opens offline:
  file://$folder/formula.html
  file://$folder/network.html

TEXT
else
  printf 'No pages: %s\n\n' "$missing"
fi
cat <<TEXT
All numbers of these reports, and more digits, are in $folder:
  formula.json  race.json  training.json  curvature.json  landscape-top.json  landscape-random.json
The trained weights are in $folder/weights.npz (NumPy reads them).

Next, try your own function:   $kappa analyze "x^4 - 3*x*y + y^2" --at x=1,y=1
What each number means:        docs/concepts.md
All commands and options:      $kappa --help, docs/cli.md
TEXT
