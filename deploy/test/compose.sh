#!/usr/bin/env bash
# Tries docker-compose.yml for real: builds the image, brings actors up and down, kills the learner and sees it go on. Needs root on a Debian.
#   deploy/test/compose.sh [--install]
# --install gets missing tools by apt-get. A Docker daemon that runs is used as it is; where none runs, one is started and ended again. Base
# images that are neither there nor to be had are made from Debian's packages and this machine's .NET SDK, and removed again.
# Exit code 0: all went well; 1: something failed; 77: it cannot be tried here, for the reason that is told.
# RL_COMPOSE_CACHE=DIRECTORY keeps the bootstrapped Debian between runs.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit
project=rl-compose-test-$$
# shellcheck source=deploy/test/docker.sh
. deploy/test/docker.sh

export DOCKER_BUILDKIT=0 COMPOSE_PROJECT_NAME=$project
export RL_IMAGE=$project RL_PRESET=impala-catch RL_RUN=tried RL_ENGINE=embedded RL_TRAIN_OPTIONS='--frames 1e12 --set run.checkpointSeconds=2'
unset RL_WORKERS RL_LEARNER_WORKERS RL_NODE_OPTIONS

tear_down() {
    docker rm -f "$project-stranger"
    compose down -v --remove-orphans -t 5
}

# What a page says: page learner PATH, as from this machine, or page CONTAINER PATH, as from within it.
page() {
    if [[ $1 == learner ]]; then
        curl -sf -m 3 "http://127.0.0.1:$RL_HTTP_PORT$2"
    else
        docker exec "$1" bash -c "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET $2 HTTP/1.0\r\n\r\n' >&3 && cat <&3"
    fi
}
# The sum of a metric's samples, those with a word among their labels: metric WHOM NAME [WORD]
metric() {
    page "$1" /metrics | awk -v name="$2" -v labels="${3:-}" '
        index($0, name) == 1 && substr($0, length(name) + 1, 1) ~ /[{ ]/ && index($0, labels) { sum += $NF; found = 1 }
        END { if (!found) exit 1; printf "%.15g\n", sum }'
}
metric_is() { [[ $(metric "$1" "$2" "$3") == "$4" ]]; }
# metric_beyond WHOM NAME WORD LIMIT
metric_beyond() { awk -v value="$(metric "$1" "$2" "$3")" -v limit="$4" 'BEGIN { exit !(value != "" && value + 0 > limit + 0) }'; }
frames_beyond() { metric_beyond learner rl_frames_total '' "$1"; }
frames_grow() { local before; before=$(metric learner rl_frames_total) && within 5 frames_beyond "$before"; }
# All of the families are there, with numbers: tells WHOM FAMILY...
tells() {
    local whom=$1 family value
    shift
    for family in "$@"; do
        value=$(metric "$whom" "$family") && [[ $value != *nan* ]] || return 1
    done
}
healthy_page() { page "$1" /health | grep -q '"status":"ok","state":"Up"'; }

containers() { compose ps -q "$1"; }
inspect() { docker inspect -f "$1" "$2"; }
begun() { inspect '{{.State.StartedAt}} {{.RestartCount}}' "$1"; }
kill_process() { kill -9 "$(inspect '{{.State.Pid}}' "$1")"; }
restarted() { [[ $(inspect '{{.RestartCount}} {{.State.Running}}' "$1") == '1 true' ]]; }
all_healthy() { [[ $(for id in $(compose ps -q); do inspect '{{.State.Health.Status}}' "$id"; done | sort | uniq -c | xargs) == "$1 healthy" ]]; }
fleet_is() { metric_is learner rl_members 'status="Up"' $(($1 + 1)) && metric_is learner rl_workers '' "$1"; }
all_send() { local id; for id in $(containers actor); do metric_beyond "$id" rl_bytes_total 'direction="sent",kind="experience"' 0 || return 1; done; }
scale() { compose up -d --no-build --scale actor="$1" >>"$work/log" 2>&1; }
# The learner's log: lines that match, and how many do.
lines() { docker logs "$learner" 2>&1 | grep -i -- "$1"; }
says() { [[ -n $(lines "$1") ]]; }
count() { docker logs "$learner" 2>&1 | grep -ci -- "$1"; }
says_more() { (($(count "$1") > $2)); }
epoch() { docker exec "$learner" cat /runs/tried/epoch.txt | awk '{ print $2 }'; }
# The frames of the newest checkpoint on the volume.
checkpoint() {
    docker exec "$learner" sh -c 'ls /runs/tried/checkpoints/*.safetensors' | sed 's/.*checkpoint-0*\([0-9]\)/\1/; s/\..*//' | sort -n | tail -n 1
}
has_checkpoint() { [[ -n $(checkpoint) ]]; }
# How many actors ended with exit code 0, and how many with another, since a time.
ends() {
    docker events --since "$1" --until "$(date +%s)" --filter event=die --filter "label=com.docker.compose.project=$project" \
        --filter label=com.docker.compose.service=actor --format '{{.Actor.Attributes.exitCode}}' | sort | uniq -c | awk '{ print $1 " with " $2 }' | xargs
}
ends_are() { [[ $(ends "$1") == "$2" ]]; }

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
    docker images -aq | sort -u >"$work/images-before"
    # A daemon of our own has no network that a build could use by itself.
    printf 'services:\n  learner:\n    build:\n      network: host\n' >"$work/build.yml"
    images+=("$RL_IMAGE")
    COMPOSE_FILE=docker-compose.yml:$work/build.yml compose build learner >"$work/build.log" 2>&1 ||
        { tail -n 40 "$work/build.log"; die "docker-compose build"; }
    passed=$((passed + 1))
    say "ok      the image builds: $(docker image inspect -f '{{.Size}}' "$RL_IMAGE" | awk '{ printf "%.0f", $1 / 1e6 }') MB," \
        "of it the program $(docker run --rm --network none --entrypoint du "$RL_IMAGE" -sk /app | awk '{ printf "%.1f", $1 / 1e3 }') MB"
}

try_start() {
    scale 2 || { tail -n 20 "$work/log"; die "docker-compose up"; }
    learner=$(containers learner)
    check "2 actors act for the learner" 120 fleet_is 2
    check "frames are learned from" 60 frames_beyond 0
    check "both send experience" 30 all_send
    check "frames grow" 30 frames_grow
    check "all 3 containers are healthy" 60 all_healthy 3
    check "/health of the learner" 10 healthy_page learner
    check "/metrics of the learner: frames, frames/s, return, policy lag, members, workers, unrolls, bytes" 60 tells learner \
        rl_frames_total rl_frames_per_second rl_mean_return_100 rl_policy_lag rl_members rl_workers rl_unrolls_total rl_bytes_total
    for actor in $(containers actor); do
        check "/health of an actor" 10 healthy_page "$actor"
        check "/metrics of an actor: members, workers, unrolls, bytes" 10 tells "$actor" rl_members rl_workers rl_unrolls_total rl_bytes_total
        check "an actor tells of its own worker" 10 metric_is "$actor" rl_workers '' 1
        check "an actor knows what became of its unrolls" 30 metric_beyond "$actor" rl_unrolls_total consumed 0
        check "an actor has no port of this machine" 0 [ -z "$(docker port "$actor")" ]
    done
    check "the learner's port is published on loopback only" 0 [ "$(docker port "$learner" | tr -d '\n')" = "8080/tcp -> 127.0.0.1:$RL_HTTP_PORT" ]
    check "nobody is root" 0 [ "$(docker exec "$learner" id -u) $(docker exec "$actor" id -u)" = '1654 1654' ]
    check "the secret is no option and no variable" 0 [ -z "$(docker inspect "$learner" "$actor" | grep -F "$(<"$RL_SECRET_FILE")")" ]
    docker run -d --rm --name "$project-stranger" --network "${project}_cluster" -e RL_SECRET=not-the-right-secret "$RL_IMAGE" \
        node --join learner:4053 --listen 0.0.0.0:4053 >>"$work/log" 2>&1
    check "a node with another secret is refused" 60 says 'the secret differs'
    docker kill "$project-stranger" >>"$work/log" 2>&1
    check "the program's own view: $(docker exec "$learner" rl cluster status | head -n 1)" 0 docker exec "$learner" rl cluster status
}

try_scale() {
    local actor lost begun_at
    scale 4
    check "4 actors act" 60 fleet_is 4
    check "all 4 send experience" 30 all_send
    actor=$(containers actor | tail -n 1) lost=$(count 'cannot be reached')
    kill_process "$actor"
    check "the learner knows that a killed actor is gone" 15 says_more 'cannot be reached' "$lost"
    check "Docker starts it again" 30 restarted "$actor"
    check "4 actors act again" 60 fleet_is 4
    check "all 4 send experience again" 30 all_send

    lost=$(count 'cannot be reached') begun_at=$(date +%s)
    scale 1
    check "1 actor acts" 30 fleet_is 1
    check "the other 3 ended by themselves" 10 ends_are "$begun_at" '3 with 0'
    check "they left, rather than got lost" 0 [ "$(count 'cannot be reached')" = "$lost" ]
    check "frames grow with one actor" 30 frames_grow
    check "it learns: mean return above 0.5" 60 metric_beyond learner rl_mean_return_100 '' 0.5
}

try_learner() {
    local actor actor_begun before saved from first
    check "a checkpoint is there" 60 has_checkpoint
    check "/metrics tells of it" 10 metric_beyond learner rl_checkpoint_frames '' 0
    actor=$(containers actor) actor_begun=$(begun "$(containers actor)") before=$(epoch) saved=$(checkpoint)
    # Not by docker kill, after which nothing is started again.
    kill_process "$learner"
    check "Docker starts the killed learner again" 30 restarted "$learner"
    check "it says that it continues" 60 says '^Continuing impala-catch'
    from=$(lines '^Continuing impala-catch' | tail -n 1 | sed 's/.* from \([0-9,]*\) to .*/\1/; s/,//g')
    check "it does from its last checkpoint, at $saved or later: $from" 0 [ "$from" -ge "$saved" ]
    within 60 frames_beyond 0
    first=$(metric learner rl_frames_total)
    check "frames go on from there: $first" 0 [ "${first:-0}" -ge "$from" ]
    check "the epoch grew from $before" 0 [ "$(epoch)" = $((before + 1)) ]
    check "its actor acts for it again" 60 fleet_is 1
    check "frames grow" 30 frames_grow
    check "a new checkpoint follows" 60 metric_beyond learner rl_checkpoint_frames '' "$from"
    check "the actor was not started again" 0 [ "$(begun "$actor")" = "$actor_begun" ]
    check "all are healthy again" 60 all_healthy 2
    say "        $(docker exec "$learner" rl cluster status | grep '^Unrolls')"
    say "        learner: $(memory "$learner"); actor: $(memory "$actor")"

    check "an actor leaves when it is stopped" 20 compose stop actor
    check "the learner knows" 15 metric_is learner rl_members 'status="Up"' 1
    check "it ended by itself" 0 [ "$(inspect '{{.State.ExitCode}}' "$actor")" = 0 ]
    check "the learner stops with a checkpoint" 40 compose stop learner
    check "it says how to go on" 0 says '^Interrupted. Continue with'
    check "it ended by itself too" 0 [ "$(inspect '{{.State.ExitCode}}' "$learner")" = 130 ]
}
# Of the container without the files' pages that it shares, and of the process with them.
memory() {
    echo "$(docker stats --no-stream --format '{{.MemUsage}}' "$1" | sed 's/ .*//') of the container," \
        "$(metric "$1" rl_process_resident_bytes | awk '{ printf "%.0f", $1 / 1048576 }')MiB resident"
}

begin
RL_HTTP_PORT=$(free_port)
head -c 32 /dev/urandom | base64 >"$work/secret.txt"
export RL_HTTP_PORT RL_SECRET_FILE=$work/secret.txt

phase tools
need_tools "$@"
phase daemon
start_daemon
try_container
phase 'base images'
make_base_images
phase image
build_image
phase 'start and pages'
try_start
phase scaling
try_scale
phase 'killed learner'
try_learner
exit 0
