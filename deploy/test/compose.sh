#!/usr/bin/env bash
# Tries docker-compose.yml for real: builds the image, brings actors up and down, kills the learner and sees it go on. Needs root on a Debian.
# A Docker daemon that runs is used as it is; where none runs, one is started that touches neither firewall nor routes, and ended again.
# Base images that are neither there nor to be had are made from Debian's packages and the .NET SDK of this machine, and removed again.
# RL_COMPOSE_CACHE=DIRECTORY keeps the bootstrapped Debian between runs.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit

readonly sdk=mcr.microsoft.com/dotnet/sdk:10.0 runtime=mcr.microsoft.com/dotnet/runtime:10.0
# Short: it holds the daemon's sockets, whose paths are limited.
work=$(mktemp -d /tmp/rlc-XXXXXX)
chmod 711 "$work"
passed=0 failed=0 daemon='' made=() begun=$SECONDS
umask 022
export DOCKER_BUILDKIT=0 COMPOSE_PROJECT_NAME=rl-compose-test
export RL_IMAGE=rl-distributed:compose-test RL_PRESET=impala-catch RL_RUN=tried
export RL_TRAIN_OPTIONS='--frames 1e12 --set run.checkpointSeconds=2'

now() { date +%s.%N; }
since() { awk -v from="$1" -v to="$(now)" 'BEGIN { printf "%.1f", to - from }'; }
say() { printf '[%4d s] %s\n' $((SECONDS - begun)) "$*"; }

# Polls until a command succeeds: within SECONDS COMMAND...
within() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < deadline)) || return 1
        sleep 0.1
    done
}

# check DESCRIPTION SECONDS COMMAND...: passes where the command succeeds in time; tells how long it took.
check() {
    local what=$1 limit=$2 from
    shift 2
    from=$(now)
    if within "$limit" "$@"; then
        passed=$((passed + 1))
        say "ok      $what ($(since "$from") s)"
    else
        failed=$((failed + 1))
        say "FAILED  $what: not within $limit s: $*"
    fi
}

die() {
    say "FAILED  $*"
    failed=$((failed + 1))
    exit 1
}

compose() {
    if command -v docker-compose >/dev/null; then docker-compose "$@"; else docker compose "$@"; fi
}

finish() {
    local from mount
    from=$(now)
    if ((failed > 0)) && docker info >/dev/null 2>&1; then compose logs --no-color --tail 40 2>&1 | cut -c 1-400; fi
    if docker info >/dev/null 2>&1; then
        docker rm -f "$COMPOSE_PROJECT_NAME-stranger" >>"$work/log" 2>&1
        compose down -v --remove-orphans -t 5 >>"$work/log" 2>&1
        # A daemon of our own goes with all that it has.
        if [[ -z $daemon ]]; then docker rmi -f "$RL_IMAGE" ${made[@]+"${made[@]}"} >>"$work/log" 2>&1; fi
    fi
    if [[ -n $daemon ]]; then
        kill "$daemon" 2>/dev/null
        within 30 gone "$daemon" || kill -9 "$daemon"
    fi
    # The deepest mounts first.
    while read -r mount; do umount "$mount"; done < <(awk -v below="$work/" 'index($2, below) == 1 { print $2 }' /proc/mounts | sort -r)
    rm -rf --one-file-system "$work"
    say "torn down ($(since "$from") s)"
    echo "$passed passed, $failed failed"
    ((failed == 0)) || exit 1
}
gone() { ! kill -0 "$1"; }
trap finish EXIT
trap 'exit 130' INT TERM

install_tools() {
    local missing=()
    [[ $(id -u) == 0 ]] || die "run this as root: it starts a Docker daemon and bootstraps a Debian"
    command -v docker >/dev/null && { [[ -S /var/run/docker.sock ]] || command -v dockerd >/dev/null; } || missing+=(docker.io)
    command -v docker-compose >/dev/null || docker compose version >/dev/null 2>&1 || missing+=(docker-compose)
    command -v debootstrap >/dev/null || missing+=(debootstrap)
    command -v curl >/dev/null || missing+=(curl)
    ((${#missing[@]} > 0)) || return 0
    say "installing ${missing[*]}"
    apt-get update -qq >"$work/log" 2>&1
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >>"$work/log" 2>&1 ||
        { tail -n 20 "$work/log"; die "apt-get install ${missing[*]}"; }
}

start_daemon() {
    local driver
    if docker info >/dev/null 2>&1; then
        say "using the Docker daemon that runs"
        return
    fi
    export DOCKER_HOST=unix://$work/docker.sock
    # Files of a nested container's disk may not do for overlayfs; copies always do.
    for driver in overlay2 vfs; do
        dockerd --host "$DOCKER_HOST" --data-root "$work/data" --exec-root "$work/exec" --pidfile "$work/docker.pid" --storage-driver "$driver" \
            --bridge=none --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false >"$work/dockerd.log" 2>&1 &
        daemon=$!
        if within 30 docker info; then
            say "started a Docker daemon with $driver"
            return
        fi
        kill "$daemon" 2>/dev/null
        within 10 gone "$daemon"
        daemon=''
    done
    tail -n 20 "$work/dockerd.log"
    die "no Docker daemon starts"
}

has_image() {
    docker image inspect "$1" >/dev/null 2>&1 || { [[ -z $daemon ]] && docker pull -q "$1" >/dev/null 2>&1; }
}

# A Debian with the user that the real images have.
bootstrap() {
    local root=$work/root cached=${RL_COMPOSE_CACHE:+$RL_COMPOSE_CACHE/debian.tar}
    mkdir "$root"
    if [[ -f ${cached:-} ]]; then
        tar -x -C "$root" -f "$cached" || die "unpacking $cached"
        return
    fi
    debootstrap --variant=minbase --include=ca-certificates,libssl3,libstdc++6,zlib1g bookworm "$root" http://deb.debian.org/debian \
        >"$work/debootstrap.log" 2>&1 || { tail -n 20 "$work/debootstrap.log"; die "debootstrap"; }
    rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
    useradd --root "$root" --uid 1654 --create-home app
    if [[ -n $cached ]]; then mkdir -p "$RL_COMPOSE_CACHE" && tar -c -C "$root" . >"$cached"; fi
}

make_base_images() {
    local dotnet changes=(-c "ENV DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1") name from root=$work/root
    if has_image "$sdk" && has_image "$runtime"; then return; fi
    from=$(now)
    dotnet=$(dirname "$(readlink -f "$(command -v dotnet)")")
    bootstrap
    mkdir -p "$root/usr/share/dotnet/shared"
    ln -s /usr/share/dotnet/dotnet "$root/usr/bin/dotnet"
    cp -a "$dotnet/dotnet" "$dotnet/host" "$root/usr/share/dotnet/"
    cp -a "$dotnet/shared/Microsoft.NETCore.App" "$root/usr/share/dotnet/shared/"
    import "$runtime"

    cp -a "$dotnet/." "$root/usr/share/dotnet/"
    # The build reaches NuGet as this machine does: its certificates, its sources, its settings.
    cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
    if [[ -f ~/.nuget/NuGet/NuGet.Config ]]; then
        mkdir -p "$root/root/.nuget/NuGet"
        cp ~/.nuget/NuGet/NuGet.Config "$root/root/.nuget/NuGet/"
    fi
    for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY NUGET_CERT_REVOCATION_MODE; do
        if [[ -n ${!name:-} ]]; then changes+=(-c "ENV $name=${!name}"); fi
    done
    import "$sdk" "${changes[@]}"
    rm -rf "$root"
    say "made base images ($(since "$from") s)"
}

# import IMAGE [-c CHANGE]...
import() {
    local image=$1
    shift
    tar -c -C "$work/root" . | docker import "$@" - "$image" >/dev/null || die "importing $image"
    made+=("$image")
}

# The sum of a metric's samples whose labels match, as an integer: metric NAME [LABELS]
metric() {
    curl -sf -m 3 "http://127.0.0.1:$RL_HTTP_PORT/metrics" |
        awk -v name="$1" -v labels="${2:-}" 'index($0, name) == 1 && $1 !~ /^#/ && (substr($0, length(name) + 1, 1) ~ /[{ ]/) && index($0, labels) \
            { sum += $NF; found = 1 } END { if (!found) exit 1; printf "%.0f\n", sum }'
}
metric_is() { [[ $(metric "$1" "$2") == "$3" ]]; }
frames_beyond() { (($(metric rl_frames_total) > $1)); }
containers() { compose ps -q "$1"; }
learner() { containers learner | head -n 1; }
inspect() { docker inspect -f "$1" "$2"; }
all_healthy() { [[ $(for id in $(compose ps -q); do inspect '{{.State.Health.Status}}' "$id"; done | sort | uniq -c | xargs) == "$1 healthy" ]]; }
fleet_is() { metric_is rl_members 'status="Up"' $(($1 + 1)) && metric_is rl_workers '' "$1"; }
restarted() { [[ $(inspect '{{.RestartCount}} {{.State.Running}}' "$1") == '1 true' ]]; }
checkpoint() { docker exec "$(learner)" sh -c 'ls /runs/tried/checkpoints/*.safetensors' | sed 's/.*checkpoint-0*\([0-9]\)/\1/; s/\..*//' | sort -n | tail -n 1; }
has_checkpoint() { [[ -n $(checkpoint) ]]; }
says() { compose logs --no-color "$1" 2>&1 | grep -qi -- "$2"; }
scale() { compose up -d --no-build --scale actor="$1" >>"$work/log" 2>&1; }

free_port() {
    local port
    for port in {18080..18180}; do
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
}

build_image() {
    local from
    from=$(now)
    docker build --network host -f deploy/Dockerfile --build-arg ENGINE=embedded -t "$RL_IMAGE" . >"$work/build.log" 2>&1 ||
        { tail -n 40 "$work/build.log"; die "docker build"; }
    passed=$((passed + 1))
    say "ok      the image builds ($(since "$from") s): $(docker image inspect -f '{{.Size}}' "$RL_IMAGE" | awk '{ printf "%.0f", $1 / 1e6 }') MB," \
        "of it the program $(docker run --rm --network none --entrypoint du "$RL_IMAGE" -sk /app | awk '{ printf "%.1f", $1 / 1e3 }') MB"
}

try() {
    local id actor started before saved
    scale 2 || { tail -n 20 "$work/log"; die "docker-compose up"; }
    check "2 actors act for the learner" 60 fleet_is 2
    check "frames are learned from" 30 frames_beyond 0
    check "frames grow" 30 frames_beyond "$(metric rl_frames_total)"
    check "all 3 containers are healthy" 60 all_healthy 3
    id=$(learner)
    check "nobody is root" 0 [ "$(docker exec "$id" id -u)" != 0 ]
    check "the port is published on loopback only" 0 [ "$(docker port "$id" | tr -d '\n')" = "8080/tcp -> 127.0.0.1:$RL_HTTP_PORT" ]
    docker run -d --rm --name "$COMPOSE_PROJECT_NAME-stranger" --network "${COMPOSE_PROJECT_NAME}_cluster" -e RL_SECRET=not-the-right-secret "$RL_IMAGE" \
        node --join learner:4053 --listen 0.0.0.0:4053 >/dev/null
    check "a node with another secret is refused" 20 says learner 'the secret differs'
    docker kill "$COMPOSE_PROJECT_NAME-stranger" >/dev/null
    check "the program's own view: $(docker exec "$id" rl cluster status | head -n 1)" 0 docker exec "$id" rl cluster status

    scale 4
    check "4 actors act" 60 fleet_is 4
    actor=$(containers actor | tail -n 1)
    kill -9 "$(inspect '{{.State.Pid}}' "$actor")"
    check "a killed actor is started again" 30 restarted "$actor"
    check "4 actors act again" 30 fleet_is 4
    scale 1
    check "1 actor acts" 30 fleet_is 1
    check "frames grow with one actor" 30 frames_beyond "$(metric rl_frames_total)"

    check "a checkpoint is there" 30 has_checkpoint
    actor=$(containers actor) started=$(inspect '{{.State.StartedAt}} {{.RestartCount}}' "$(containers actor)")
    saved=$(checkpoint)
    # Not by docker kill, after which nothing is started again.
    kill -9 "$(inspect '{{.State.Pid}}' "$id")"
    check "the killed learner is started again" 30 restarted "$id"
    check "it goes on from its checkpoint, at $saved frames or later" 30 frames_beyond $((saved - 1))
    check "it says so" 10 says learner 'continues'
    check "its actor acts for it again" 30 fleet_is 1
    before=$(metric rl_frames_total)
    check "frames grow beyond $before" 30 frames_beyond "$before"
    check "the actor was not restarted" 0 [ "$(inspect '{{.State.StartedAt}} {{.RestartCount}}' "$actor")" = "$started" ]
    check "all are healthy again" 60 all_healthy 2
    say "        rl_frames_per_second $(metric rl_frames_per_second), rl_unrolls_total: $(metric rl_unrolls_total 'consumed') consumed," \
        "$(metric rl_unrolls_total 'lost') lost; learner: $(docker stats --no-stream --format '{{.MemUsage}}' "$id")," \
        "actor: $(docker stats --no-stream --format '{{.MemUsage}}' "$actor")"

    check "an actor leaves when it is stopped" 20 compose stop actor
    check "the learner knows at once" 5 metric_is rl_members 'status="Up"' 1
    check "it ended by itself" 0 [ "$(inspect '{{.State.ExitCode}}' "$actor")" = 0 ]
    check "the learner stops with a checkpoint" 40 compose stop learner
    check "it ended by itself too" 0 [ "$(inspect '{{.State.ExitCode}}' "$id")" = 130 ]
}

RL_HTTP_PORT=$(free_port)
head -c 32 /dev/urandom | base64 >"$work/secret.txt"
export RL_HTTP_PORT RL_SECRET_FILE=$work/secret.txt

install_tools
start_daemon
make_base_images
build_image
try
