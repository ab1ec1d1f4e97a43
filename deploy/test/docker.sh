# shellcheck shell=bash
# What a test with containers needs around it, for compose.sh: checks, a Docker daemon, base images, and their end. Sourced, not run.
# The one who sources it sets `project` (a name of its own for all that it makes), calls `begin`, and may call `skip` and `die`.

readonly sdk=mcr.microsoft.com/dotnet/sdk:10.0 runtime=mcr.microsoft.com/dotnet/runtime:10.0
readonly SKIPPED=77
passed=0 failed=0 skipped=0 daemon='' images=() remains=() phases='' phase_name='' phase_begun=0

now() { date +%s.%N; }
since() { awk -v from="$1" -v to="$(now)" 'BEGIN { printf "%.1f", to - from }'; }
say() { printf '[%4d s] %s\n' "$SECONDS" "$*"; }

# Ends the phase before and begins another, whose time is told at the end.
phase() {
    [[ -z $phase_name ]] || phases+="${phases:+, }$phase_name $((SECONDS - phase_begun)) s"
    phase_name=$1 phase_begun=$SECONDS
}

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

skip() {
    say "skipped: $*"
    skipped=1
    exit "$SKIPPED"
}

begin() {
    # Short: it holds the daemon's sockets, whose paths are limited.
    work=$(mktemp -d /tmp/rlc-XXXXXX)
    chmod 711 "$work"
    umask 022
    trap finish EXIT
    trap 'exit 130' INT TERM
}

compose() {
    if command -v docker-compose >/dev/null; then docker-compose "$@"; else docker compose "$@"; fi
}

# need_tools [--install]
need_tools() {
    local missing=()
    [[ $(uname -s) == Linux && $(id -u) == 0 ]] || skip "this needs root on Linux: it starts a Docker daemon and kills processes in containers"
    { command -v docker && command -v dockerd; } >/dev/null || running_daemon || missing+=(docker.io)
    command -v docker-compose >/dev/null || docker compose version >/dev/null 2>&1 || missing+=(docker-compose)
    command -v debootstrap >/dev/null || missing+=(debootstrap)
    command -v curl >/dev/null || missing+=(curl)
    ((${#missing[@]} > 0)) || return 0
    [[ ${1:-} == --install ]] || skip "install what is missing: apt-get install ${missing[*]}; or give --install"
    command -v apt-get >/dev/null || skip "${missing[*]} missing, and there is no apt-get to install it"
    say "installing ${missing[*]}"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$work/log" 2>&1 ||
        { tail -n 20 "$work/log"; skip "apt-get install ${missing[*]} failed"; }
}

# One of this machine: processes in its containers are killed by their numbers.
running_daemon() { [[ ${DOCKER_HOST:-unix://} == unix://* ]] && docker info >/dev/null 2>&1; }

# A daemon that touches neither firewall nor routes, unless one runs.
start_daemon() {
    local driver trace
    if running_daemon; then
        say "using the Docker daemon that runs"
        return
    fi
    export DOCKER_HOST=unix://$work/docker.sock
    for trace in /etc/docker /etc/docker/key.json /run/docker /run/docker/plugins; do [[ -e $trace ]] || remains+=("$trace"); done
    # Files of a nested container's disk may not do for overlayfs; copies always do.
    for driver in overlay2 vfs; do
        dockerd --host "$DOCKER_HOST" --data-root "$work/data" --exec-root "$work/exec" --pidfile "$work/docker.pid" --storage-driver "$driver" \
            --bridge=none --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false >"$work/dockerd.log" 2>&1 &
        daemon=$!
        if within 60 docker_or_death; then
            if ! gone "$daemon"; then
                say "started a Docker daemon with $driver"
                return
            fi
        fi
        stop_daemon
    done
    skip "no Docker daemon starts here: $(tail -n 1 "$work/dockerd.log")"
}
gone() { ! kill -0 "$1" 2>/dev/null; }
docker_or_death() { gone "$daemon" || docker info; }

stop_daemon() {
    local containerd=$work/exec/containerd/containerd.pid
    kill "$daemon" 2>/dev/null
    within 30 gone "$daemon" || kill -9 "$daemon"
    # It ends its containerd by itself, unless it was killed.
    if [[ -f $containerd ]]; then kill "$(<"$containerd")" 2>/dev/null; fi
    wait "$daemon" 2>/dev/null
    daemon=''
}

# Whether containers and their networks work at all, before minutes are spent: with the static program that Docker comes with.
try_container() {
    local init error
    init=$(command -v docker-init || command -v tini-static) || return 0
    mkdir "$work/probe"
    cp -L "$init" "$work/probe/init"
    error=$({ tar -c -C "$work/probe" . | docker import - "$project-probe" && docker network create --internal "$project-probe" &&
        docker run --rm --network "$project-probe" "$project-probe" /init --version; } 2>&1 >/dev/null)
    local code=$?
    docker network rm "$project-probe" >/dev/null 2>&1
    docker rmi -f "$project-probe" >/dev/null 2>&1
    ((code == 0)) || skip "containers do not run here: $error"
}

# Where neither is to be had, Debian's packages and this machine's .NET SDK under the names of the real ones.
make_base_images() {
    local dotnet changes=(-c "ENV DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1") name root=$work/root wanted=''
    for name in "$runtime" "$sdk"; do has_image "$name" || wanted+=" $name"; done
    [[ -n $wanted ]] || return 0
    command -v dotnet >/dev/null || skip "base images are made from this machine's .NET SDK, and there is none"
    dotnet=$(dirname "$(readlink -f "$(command -v dotnet)")")
    bootstrap
    mkdir -p "$root/usr/share/dotnet/shared"
    ln -s /usr/share/dotnet/dotnet "$root/usr/bin/dotnet"
    cp -a "$dotnet/dotnet" "$dotnet/host" "$root/usr/share/dotnet/"
    cp -a "$dotnet/shared/Microsoft.NETCore.App" "$root/usr/share/dotnet/shared/"
    if [[ $wanted == *"$runtime"* ]]; then import "$runtime"; fi

    if [[ $wanted == *"$sdk"* ]]; then
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
    fi
    rm -rf "$root"
}

# What is pulled was not there, so it goes again. A daemon of our own is not asked to pull: what it gets would be gone with it.
has_image() {
    docker image inspect "$1" >/dev/null 2>&1 && return
    [[ -z $daemon ]] && timeout 300 docker pull -q "$1" >/dev/null 2>&1 && images+=("$1")
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
        >"$work/debootstrap.log" 2>&1 || { tail -n 20 "$work/debootstrap.log"; skip "debootstrap does not work here"; }
    rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
    useradd --root "$root" --uid 1654 --create-home app
    if [[ -n $cached ]]; then mkdir -p "$RL_COMPOSE_CACHE" && tar -c -C "$root" . >"$cached"; fi
}

# import IMAGE [-c CHANGE]...
import() {
    local image=$1
    shift
    tar -c -C "$work/root" . | docker import "$@" - "$image" >/dev/null || die "importing $image"
    images+=("$image")
}

# Layers that a build tells of, the newest first: layers LOG
layers() { sed -n 's/^ ---> \([0-9a-f]\{12\}\)$/\1/p' "$1" | tac; }

finish() {
    local code=$? mount bridges=() image
    phase 'tear-down'
    if ((failed > 0)) && docker info >/dev/null 2>&1; then compose logs --no-color --tail 40 2>&1 | cut -c 1-400; fi
    if docker info >/dev/null 2>&1; then
        mapfile -t bridges < <(docker network ls -q --filter "name=$project" | sed 's|^|/sys/class/net/br-|')
        tear_down >>"$work/log" 2>&1
        if [[ -z $daemon ]]; then
            docker rmi -f ${images[@]+"${images[@]}"} >>"$work/log" 2>&1
            if [[ -f $work/build.log ]]; then
                sed -n 's/^ ---> Running in //p' "$work/build.log" | xargs -r docker rm -f >>"$work/log" 2>&1
                for image in $(layers "$work/build.log"); do
                    grep -qx "$image" "$work/images-before" || docker rmi "$image" >>"$work/log" 2>&1
                done
            fi
        fi
    fi
    check_remains ${bridges[@]+"${bridges[@]}"}
    rm -rf --one-file-system "$work"
    phase ''
    say "$phases"
    echo "$passed passed, $failed failed$( ((skipped == 0)) || echo ", $skipped skipped")"
    ((failed == 0)) || exit 1
    exit "$code"
}

# Ends the daemon and looks whether anything outlived it: check_remains PATH...
check_remains() {
    local mount path left=''
    if [[ -n $daemon ]]; then
        stop_daemon
        for path in ${remains[@]+"${remains[@]}"}; do [[ ! -f $path ]] || rm "$path"; done
        for path in /run/docker/plugins /run/docker /etc/docker; do
            if [[ " ${remains[*]-} " == *" $path "* && -d $path ]]; then rmdir "$path"; fi
        done
        # The deepest mounts first.
        while read -r mount; do umount "$mount"; done < <(awk -v below="$work/" 'index($2, below) == 1 { print $2 }' /proc/mounts | sort -r)
        left=$(grep -F " $work/" /proc/mounts; pgrep -a -f -- "$work/")
    elif docker info >/dev/null 2>&1; then
        left=$(docker ps -aq --filter "name=$project"; docker network ls -q --filter "name=$project"; docker volume ls -q --filter "name=$project"
            docker images -q "$project")
    fi
    for path in "$@" ${remains[@]+"${remains[@]}"}; do [[ ! -e $path ]] || left+=" $path"; done
    if [[ -n $left ]]; then
        failed=$((failed + 1))
        say "FAILED  something is left: $left"
    elif ((skipped == 0)); then
        passed=$((passed + 1))
        say "ok      nothing is left of all this"
    fi
}
