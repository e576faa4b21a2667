"""The published schema of the policy and the program call the same policies valid.

  policy_schema.py PROGRAM SCHEMA [N]

The policy that ships, a full one, and N (600) of its possible changes: a key taken out or misspelt, a
value of another kind or out of its range. Needs python3-jsonschema and python3-yaml; 77 without.
"""

import copy
import json
import os
import random
import subprocess
import sys
import tempfile

try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

FULL = """
version: 1
home: [198.51.100.0/24, "2001:db8:1::/48", 192.0.2.7]
destinations:
  - name: head_office
    networks: [203.0.113.0/24, "2001:db8::/32", "::ffff:203.0.113.0/120"]
    servers: ["*.example.com", www.example.org]
  - name: maker
    servers: [update.example.net]
allow: [head_office]
channels:
  - kind: device_data
    destination: maker
    ports: [443, 8883]
  - kind: medical_data
    ports: [2575]
rows:
  - class: [personal]
    channel: device_data
    action: block
  - class: [id_number, phone]
    jurisdiction: [HK, outside, unknown]
    destination: maker
    protocol: [hl7v2, http1]
    action: deidentify
  - class: [opaque]
    jurisdiction: [abroad]
    action: block
  - jurisdiction: [inside, local, any, disagree]
    action: pass
fail:
  - jurisdiction: [local]
    destination: head_office
    protocol: [tls]
    channel: medical_data
    action: pass
  - action: block
"""

# Strings stand for kinds of values; what must be a name of a destination gets one that exists.
OTHERS = ["", "x", "maker", "head_office", "pass", "block", "abroad", "HK", "hk", "CHN", "personal",
          "device_data", "10.0.0.0/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0", "1.2.3.256",
          "::1", "fe80::/10", "2001:db8::/129", "*.example.com", "*", "a b.example", ".example.com",
          "example.com.", 0, 1, 2, 65535, 65536, -1, 1.5, True, None, [], {}, [[]], ["x"], {"x": 1},
          ["abroad"], [443], ["maker"], [{}], [{"action": "pass"}], [{"kind": "device_data"}]]

# What a schema cannot say; the place and what the program must answer.
PROGRAM_ONLY = [
    ("allow: [nobody]\nrows: []\n", "1:9: allow must be the name of one of the destinations"),
    ("rows:\n  - destination: nobody\n    action: pass\n", "2:18: destination must be the name of one"),
    ("destinations:\n  - {name: a, servers: [a.example]}\n  - {name: a, servers: [b.example]}\nrows: []\n",
     "3:12: name 'a' is taken already"),
    ("rows: []\nrows: []\n", '2:1: key "rows" is repeated'),
]


class Plain(yaml.SafeDumper):
    """Writes everything out: the program refuses anchors."""

    def ignore_aliases(self, data):
        return True


def program_says(program, folder, text):
    path = os.path.join(folder, "policy.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    done = subprocess.run([program, "policy", "check", path], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 2) or (done.returncode == 2) == (done.stderr == ""):
        raise SystemExit(f"policy check ended with {done.returncode}: {done.stderr}\n{text}")
    return done.returncode == 0, done.stderr


def places(tree, path=()):
    """Paths of all values of a tree."""
    if path:
        yield path
    for key, value in (tree.items() if isinstance(tree, dict) else
                       enumerate(tree) if isinstance(tree, list) else ()):
        yield from places(value, (*path, key))


def parent_of(tree, path):
    for key in path[:-1]:
        tree = tree[key]
    return tree


def changes(tree):
    """Copies of the tree, each with one change."""
    for path in list(places(tree)):
        for other in OTHERS:
            changed = copy.deepcopy(tree)
            parent_of(changed, path)[path[-1]] = copy.deepcopy(other)
            yield changed
        changed = copy.deepcopy(tree)
        del parent_of(changed, path)[path[-1]]
        yield changed
        if isinstance(path[-1], str):
            changed = copy.deepcopy(tree)
            parent = parent_of(changed, path)
            parent[path[-1] + "s"] = parent.pop(path[-1])
            yield changed
    for key, most in (("home", 1024), ("allow", 64), ("rows", 256), ("fail", 256), ("channels", 64)):
        for n in (most, most + 1):
            changed = copy.deepcopy(tree)
            changed[key] = (tree[key] * n)[:n]
            yield changed


def references_hold(tree):
    """What the schema leaves to the program: names that exist once."""
    names = [str(d["name"]) for d in tree.get("destinations", [])]
    used = [str(name) for name in tree.get("allow", [])]
    used += [str(r["destination"]) for key in ("rows", "fail", "channels")
             for r in tree.get(key, []) if "destination" in r]
    return len(set(names)) == len(names) and set(used) <= set(names)


def main():
    if len(sys.argv) not in (3, 4):
        print(__doc__, file=sys.stderr)
        return 2
    program, schema_path, n_changes = (sys.argv[1:] + ["600"])[:3]
    n_changes = int(n_changes)
    with open(schema_path, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    shipped = subprocess.run([program, "policy", "show"], capture_output=True, text=True, check=True).stdout
    wrong, n = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for text in (shipped, FULL):
            assert validator.is_valid(yaml.safe_load(text)), "a good policy is not valid by the schema"
            assert program_says(program, folder, text)[0], "a good policy is not valid by the program"
        trees = list(changes(yaml.safe_load(FULL)))
        for tree in random.Random(1).sample(trees, min(n_changes, len(trees))):
            by_schema = validator.is_valid(tree)
            text = yaml.dump(tree, Dumper=Plain, sort_keys=False)
            by_program, why = program_says(program, folder, text)
            n += 1
            if by_schema and not references_hold(tree):
                by_schema = False
            if by_schema != by_program:
                wrong += 1
                if wrong <= 10:
                    fault = "" if by_schema else next(validator.iter_errors(tree)).message[:200]
                    print(f"schema {by_schema} {fault}\nprogram {by_program} {why}\n{text}---")
        for text, want in PROGRAM_ONLY:
            valid, why = program_says(program, folder, text)
            if valid or want not in why:
                wrong += 1
                print(f"wanted {want}\nprogram {valid} {why}{text}---")
    print(f"{n} policies, {wrong} judged differently by schema and program")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
