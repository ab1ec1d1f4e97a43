#!/usr/bin/env bash
# Builds the program `rl` when its sources have changed, then runs it. `./rl test [options]` runs the tests instead.
set -euo pipefail

self=${BASH_SOURCE[0]}
while [[ -L $self ]]; do
    folder=$(cd -P "$(dirname "$self")" && pwd)
    self=$(readlink "$self")
    [[ $self == /* ]] || self=$folder/$self
done
root=$(cd -P "$(dirname "$self")" && pwd)
builds=$root/.build

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
# So that the program can print commands which can be pasted.
export RL_COMMAND=$0

fail() {
    echo "rl: $1" >&2
    exit 1
}

need_sdk() {
    command -v dotnet >/dev/null ||
        fail "the .NET 10 SDK is missing: install it from https://dotnet.microsoft.com/download and try again."
    # Inside the repository, so that global.json says which SDK is wanted.
    (cd "$root" && dotnet --version >/dev/null 2>&1) ||
        fail "a .NET SDK is here, but not version 10: install it from https://dotnet.microsoft.com/download and try again."
}

# Two processes that start at once build once. Without flock (macOS) they may build twice, which only takes longer.
lock() {
    if command -v flock >/dev/null; then flock "$@"; fi
}

# The present build, a folder of its own: a run that goes on while sources change keeps the files that it began with.
current() {
    [[ -f $builds/current ]] && cat "$builds/current"
}

is_fresh() {
    local app
    app=$(current) && [[ -f $app/rl.dll && -f $builds/built ]] || return 1
    # A folder is newer where something was added or removed; the first build adds bin and obj, so folders count from its end.
    [[ -z $(cd "$root" && find src presets ./*.props global.json \( -name bin -o -name obj \) -prune \
        -o \( ! -type d -newer "$builds/current" -o -type d -newer "$builds/built" \) -print -quit) ]]
}

build() {
    local app log=$builds/build.log
    if [[ -f $builds/current ]]; then echo "building (sources have changed)..." >&2; else echo "building (first run)..." >&2; fi
    touch "$builds/started"
    if ! (cd "$root" && dotnet build src/Node/Rl.Distributed.Node.csproj -c Release -v quiet --nologo -nodeReuse:false) >"$log" 2>&1; then
        grep -E '(error|warning) [A-Z]+[0-9]+' "$log" | sort -u >&2 || cat "$log" >&2
        fail "the build failed; all that it said is in $log."
    fi
    app=$(mktemp -d "$builds/app-XXXXXX")
    cp -R "$root/src/Node/bin/Release/net10.0/." "$app"
    echo "$app" >"$builds/current.new"
    # What changed while the build ran counts as newer.
    touch -r "$builds/started" "$builds/current.new"
    touch "$builds/built"
    mv "$builds/current.new" "$builds/current"
    remove_unused "$app"
}

# Every running program holds a shared lock on its folder's lock file.
remove_unused() {
    local old
    for old in "$builds"/app-??????; do
        [[ $old == "$1" ]] && continue
        if command -v flock >/dev/null; then
            flock -n "$old.lock" true || continue
        elif [[ -z $(find "$old" -maxdepth 0 -mtime +7) ]]; then
            continue
        fi
        rm -rf "$old" "$old.lock"
    done
}

if [[ ${1:-} == test ]]; then
    need_sdk
    shift
    cd "$root"
    # RL_SLOW_TESTS=1 runs the slow tests too. `./rl test --project tests/Core --filter-class "*VTrace*"` runs a few.
    what=(--solution Rl.Distributed.sln)
    for argument in "$@"; do
        case $argument in --project | --solution | --test-modules) what=() ;; esac
    done
    # One assembly at a time: each is parallel within itself.
    exec dotnet test ${what[@]+"${what[@]}"} -c Release --max-parallel-test-modules 1 "$@"
fi

mkdir -p "$builds"
if ! is_fresh; then
    need_sdk
    exec 8>"$builds/lock"
    lock 8
    is_fresh || build
    exec 8>&-
fi
command -v dotnet >/dev/null || need_sdk
app=$(current)
exec 9>>"$app.lock"
lock -s 9
exec dotnet "$app/rl.dll" "$@"
