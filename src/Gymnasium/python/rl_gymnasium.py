"""A Python process of Rl.Distributed's Gymnasium bridge: it holds copies of one environment and steps them together.

It is given the path of a Unix socket as its only argument. The parent sends commands of one byte:

    0, 1    step all copies with the actions in the shared memory; the observations go to slot 0 or 1
    2       a request: 4 bytes of length (little-endian), then a JSON object whose "do" names a function of Server

A step is answered by the byte 0, or, where copies failed, by the byte 1 and a JSON object. A request is answered by the byte 1
and a JSON object; {"error": ...} where it could not be done. The end of the socket is the end of this process.

Needs Python 3.8 or later, numpy and gymnasium 0.26 or later.
"""

import base64
import ctypes
import faulthandler
import json
import mmap
import os
import random
import signal
import socket
import struct
import sys
import time
import traceback

STEP_FAILED = b"\1"
STEP_DONE = b"\0"

# Seconds for which the next step is looked out for before the process goes to sleep.
STEP_PATIENCE = 100e-6
NAN = float("nan")
UNKNOWN_ID = ("UnregisteredEnv", "NamespaceNotFound", "NameNotFound", "VersionNotFound", "DeprecatedEnv")


class Refusal(Exception):
    """What cannot be done, with the kind of its cure."""

    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


def guard_process():
    """Keeps the channel clean, the terminal's Ctrl-C away, and this process from outliving its parent."""
    if os.getpgrp() != os.getpid():
        os.setpgid(0, 0)  # the parent ends the group when this process has ended: what environments started is in it
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when all is over
    os.dup2(2, 1)  # what an environment prints goes where errors go
    sys.stdout = sys.stderr
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1)  # the parent asks so where a process hangs


class Channel:
    """The socket to the parent."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.connect(path)

    def read(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise EOFError()
            data += more
        return data

    def read_json(self):
        return json.loads(self.read(struct.unpack("<i", self.read(4))[0]).decode("utf-8"))

    def write_json(self, answer):
        # Halves of surrogate pairs, which stand for bytes that are no text, are no text for the parent either.
        text = json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace")
        self.socket.sendall(b"\1" + struct.pack("<i", len(text)) + text)


class AtariFrames:
    """An Atari game as DQN sees it: an action holds for some frames, of which the last two give the picture (their maximum, since
    sprites flicker); an episode begins with up to so many frames of doing nothing. It is made with frameskip=1 and grey pictures."""

    def __init__(self, env, frame_skip, noop_starts):
        self.env = env
        self.unwrapped = env.unwrapped
        self.observation_space, self.action_space = env.observation_space, env.action_space
        self.frame_skip = frame_skip
        self.noop_starts = noop_starts
        self.random = random.Random()
        self.previous = numpy.zeros(env.observation_space.shape, numpy.uint8)

    def reset(self, seed=None):
        if seed is not None:
            self.random.seed(seed)
        observation, info = self.env.reset(seed=seed)
        for _ in range(self.random.randint(1, self.noop_starts) if self.noop_starts > 0 else 0):
            observation, _, terminated, truncated, info = self.env.step(0)
            if terminated or truncated:
                observation, info = self.env.reset()
        return observation, info

    def step(self, action):
        total = 0.0
        last = self.frame_skip - 1
        for frame in range(self.frame_skip):
            observation, reward, terminated, truncated, info = self.env.step(action)
            total += reward
            if frame > 0 and (frame == last or terminated or truncated):
                observation = numpy.maximum(self.previous, observation)
            if terminated or truncated:
                break
            if frame < last:
                numpy.copyto(self.previous, observation)
        return observation, total, terminated, truncated, info

    def render(self):
        return self.env.render()

    def close(self):
        self.env.close()


class Around:
    """What stands around a copy, from the inside: sticky actions, repeated ones, and a limit of steps, 0 for none. The rules are those
    of Rl.Distributed.Core.Environments.Wrappers. An action that sticks is the last one, at first 0, and outlives resets."""

    def __init__(self, env, sticky, repeat, limit):
        self.env = env
        self.unwrapped = env.unwrapped
        self.observation_space, self.action_space = env.observation_space, env.action_space
        self.sticky = sticky
        self.repeat = repeat
        self.limit = limit
        self.steps = 0
        self.random = random.Random()
        space = env.action_space
        if is_a(space, "Discrete"):
            self.last = numpy.int64(getattr(space, "start", 0))
        else:
            self.last = numpy.zeros(space.shape, space.dtype) if is_a(space, "Box") else None

    def reset(self, seed=None):
        self.steps = 0
        if seed is None:
            return self.env.reset()
        self.random.seed(seed)
        return self.env.reset(seed=seed)

    def step(self, action):
        total = 0.0
        for _ in range(self.repeat):
            if self.sticky == 0 or self.random.random() >= self.sticky:
                self.last = action
            observation, reward, terminated, truncated, info = self.env.step(self.last)
            total += reward
            if terminated or truncated:
                break
        self.steps += 1
        return observation, total, terminated, truncated or self.steps == self.limit, info

    def render(self):
        return self.env.render()

    def close(self):
        self.env.close()


class Server:
    """Copies of one environment, and the memory that is shared with the parent."""

    def __init__(self, channel):
        self.channel = channel
        self.envs = []
        self.can_render = False

    # Requests.

    def make(self, request):
        """Makes the first copy and tells what it is like."""
        import_packages(request["atari"] is not None)
        self.request = request
        env = self.make_one()
        self.envs = [env]
        metadata = getattr(env.unwrapped, "metadata", None) or {}
        self.can_render = "rgb_array" in metadata.get("render_modes", [])
        return {
            "python": sys.version.split()[0],
            "gymnasium": str(getattr(gymnasium, "__version__", "")),
            "observation": describe_observation(env.observation_space),
            "action": describe_action(env.action_space),
        }

    def map(self, request):
        """Makes the other copies, and opens the memory."""
        if request["render"] and self.can_render:
            self.envs.pop().close()
            self.request["kwargs"]["render_mode"] = "rgb_array"
            self.envs.append(self.make_one())
        count = request["count"]
        while len(self.envs) < count:
            self.envs.append(self.make_one())
        self.seeds = request["seeds"]
        with open(request["path"], "r+b") as file:
            memory = mmap.mmap(file.fileno(), request["bytes"])
        view = memoryview(memory)

        def array(name, dtype, shape):
            return numpy.ndarray([count] + list(shape), dtype, memory, request["offsets"][name])

        def scalars(name, code):
            start = request["offsets"][name]
            return view[start:start + count * struct.calcsize(code)].cast(code)

        dtype, shape = request["dtype"], request["shape"]
        self.observations = [array("observations0", dtype, shape), array("observations1", dtype, shape)]
        self.finals = array("finals", dtype, shape)
        self.actions = array("actions", request["actionType"], request["actionShape"])
        self.action_dtype = request["actionDtype"]
        # Memory views take Python's numbers faster than arrays do.
        self.rewards = scalars("rewards", "f")
        self.terminated = scalars("terminated", "?")
        self.truncated = scalars("truncated", "?")
        self.lives = scalars("lives", "i")
        self.bind_all()
        return {}

    def reset(self, request):
        """Begins an episode everywhere; the first one of a copy is seeded."""
        observations = self.observations[request["slot"]]
        for i in range(len(self.envs)):
            observation, _ = self.reset_one(i)
            self.check_first(observation)
            observations[i] = observation
            self.note_lives(i)
        return {}

    def renew(self, request):
        """Begins an episode in a copy that failed: by a reset, or else by making it anew."""
        i, slot = request["copy"], request["slot"]
        self.seeds[i] = request["seed"]
        try:
            observation, _ = self.reset_one(i)
        except Exception:
            try:
                self.envs[i].close()
            except Exception:
                pass  # what is broken may break at its end
            self.envs[i] = self.make_one()
            self.seeds[i] = request["seed"]
            self.bind_all()
            observation, _ = self.reset_one(i)
        self.observations[slot][i] = observation
        self.note_lives(i)
        return {}

    def render(self, request):
        """A picture, made small: RGB bytes row by row; none where the environment draws none."""
        if not self.request["kwargs"].get("render_mode"):
            return {}
        frame = self.envs[request["copy"]].render()
        if not isinstance(frame, numpy.ndarray) or frame.ndim != 3 or frame.shape[2] < 3:
            return {}
        height, width = frame.shape[:2]
        columns = min(width, request["columns"])
        rows = min(height, request["rows"], max(1, round(columns * height / width)))
        columns = min(columns, max(1, round(rows * width / height)))
        small = shrink(shrink(frame[:, :, :3].astype(numpy.float32), rows, 0), columns, 1)
        data = base64.b64encode(small.clip(0, 255).astype(numpy.uint8).tobytes()).decode("ascii")
        return {"rows": rows, "columns": columns, "rgb": data}

    # Steps.

    def step(self, slot):
        """One step of every copy, straight into the shared memory; None, or what failed."""
        observations, finals = self.observations[slot], self.finals
        rewards, all_terminated, all_truncated = self.rewards, self.terminated, self.truncated
        failures = None
        i = 0
        # Single numbers are copied on the way, as numpy's, which is what a space's sample is. Vectors must be: they may be kept.
        actions = self.actions if self.action_dtype is None else self.actions.astype(self.action_dtype)
        for step, action in zip(self.steps, actions):
            try:
                observation, rewards[i], terminated, truncated, _ = step(action)
                if terminated or truncated:
                    finals[i] = observation
                    observation, _ = self.envs[i].reset()
                observations[i] = observation
                all_terminated[i] = terminated
                all_truncated[i] = truncated
            except Exception as e:
                failures = failures or []
                rewards[i] = NAN  # marks it for the parent
                failures.append({"copy": i, "message": message_of(e), "traceback": traceback.format_exc()})
            i += 1
        if self.has_lives:
            for i in range(len(self.envs)):
                self.note_lives(i)
        return failures

    # Their parts.

    def make_one(self):
        request = self.request
        try:
            env = gymnasium.make(request["id"], disable_env_checker=True, **request["kwargs"])
        except Exception as e:
            known = [base.__name__ for base in type(e).__mro__]
            if any(name in known for name in UNKNOWN_ID):
                raise Refusal("id", message_of(e))
            raise
        atari, around = request["atari"], request.get("around")
        if atari is not None:
            env = AtariFrames(env, atari["frameSkip"], atari["noOpStarts"])
        return env if around is None else Around(env, around["sticky"], around["repeat"], around["limit"])

    def bind_all(self):
        self.steps = [env.step for env in self.envs]
        self.ales = [getattr(getattr(env, "unwrapped", env), "ale", None) for env in self.envs]
        self.has_lives = any(ale is not None for ale in self.ales)

    def reset_one(self, i):
        seed, self.seeds[i] = self.seeds[i], None
        return self.envs[i].reset(seed=seed) if seed is not None else self.envs[i].reset()

    def note_lives(self, i):
        if self.ales[i] is not None:
            self.lives[i] = self.ales[i].lives()

    def check_first(self, observation):
        expected = list(self.finals.shape[1:])
        seen = list(numpy.shape(observation))
        if seen != expected:
            raise Refusal("space", "reset gave an observation of shape %s, but the observation space says %s." % (seen, expected))

    def close(self):
        for env in self.envs:
            env.close()


def import_packages(atari):
    """Imports numpy and gymnasium, as globals: a request can be answered without them, with what is missing."""
    global numpy, gymnasium
    if sys.version_info < (3, 8):
        raise Refusal("python", "it is Python %s." % sys.version.split()[0])
    numpy = import_or_refuse("numpy")
    gymnasium = import_or_refuse("gymnasium")
    if not hasattr(gymnasium, "make"):
        raise Refusal("gymnasium", "the module gymnasium in %s has no function make." % list(getattr(gymnasium, "__path__", ["?"])))
    if atari:
        ale_py = import_or_refuse("ale_py")
        if hasattr(gymnasium, "register_envs"):
            gymnasium.register_envs(ale_py)


def import_or_refuse(name):
    try:
        return __import__(name)
    except ModuleNotFoundError as e:
        if e.name != name:
            raise
        raise Refusal(name, str(e))


def is_a(space, name):
    return any(base.__name__ == name for base in type(space).__mro__)


def describe_observation(space):
    if is_a(space, "Discrete"):
        return {"format": "index", "dtype": "int64", "shape": [], "n": int(space.n), "start": int(getattr(space, "start", 0))}
    if is_a(space, "MultiBinary"):
        return {"format": "bits", "dtype": "int8", "shape": [int(size) for size in space.shape]}
    if is_a(space, "Box"):
        shape = [int(size) for size in space.shape]
        if 0 in shape:
            raise Refusal("space", "its observations have no elements: %s." % space)
        is_bytes = numpy.dtype(space.dtype) == numpy.uint8 and numpy.max(space.high) == 255
        return {"format": "uint8" if is_bytes else "float32", "dtype": "uint8" if is_bytes else "float32", "shape": shape}
    raise Refusal("observation", "its observation space is %s." % space)


def describe_action(space):
    if is_a(space, "Discrete"):
        return {"kind": "discrete", "n": int(space.n), "start": int(getattr(space, "start", 0)), "shape": [], "dtype": None}
    if is_a(space, "Box"):
        dtype = numpy.dtype(space.dtype)
        if dtype.kind != "f":
            raise Refusal("action", "its action space is %s, whose numbers are whole." % space)
        low, high = numpy.ravel(space.low).astype(float), numpy.ravel(space.high).astype(float)
        if not (numpy.all(numpy.abs(low) < 1e30) and numpy.all(numpy.abs(high) < 1e30)):
            raise Refusal("unbounded", "its action space is %s, which has no bounds." % space)
        return {
            "kind": "box", "low": low.tolist(), "high": high.tolist(), "shape": [int(size) for size in space.shape],
            "dtype": None if dtype == numpy.float32 else dtype.name,
        }
    raise Refusal("action", "its action space is %s." % space)


def shrink(picture, size, axis):
    """Means over equal parts of an axis."""
    edges = numpy.linspace(0, picture.shape[axis], size + 1).astype(int)
    sums = numpy.add.reduceat(picture, edges[:-1], axis=axis)
    shape = [1, 1, 1]
    shape[axis] = size
    return sums / numpy.diff(edges).reshape(shape)


def message_of(error):
    return "%s: %s" % (type(error).__name__, error)


def serve(channel):
    server = Server(channel)
    receive, send = channel.socket.recv, channel.socket.sendall
    step, clock = server.step, time.perf_counter
    patience = 0.0
    while True:
        # After a step the next one mostly comes at once, and to be woken up takes longer than that.
        command = None
        until = clock() + patience
        while command is None and clock() < until:
            try:
                command = receive(1, socket.MSG_DONTWAIT)
            except BlockingIOError:
                pass
        if command is None:
            command = receive(1)
        patience = 0.0
        if not command:
            server.close()
            return
        if command[0] < 2:
            patience = STEP_PATIENCE
            failures = step(command[0])
            if failures is None:
                send(STEP_DONE)
            else:
                channel.write_json({"failed": failures})
            continue
        request = channel.read_json()
        try:
            answer = getattr(server, request["do"])(request)
        except Refusal as e:
            answer = {"error": {"kind": e.kind, "message": str(e), "traceback": ""}}
        except Exception as e:
            answer = {"error": {"kind": "environment", "message": message_of(e), "traceback": traceback.format_exc()}}
        channel.write_json(answer)


if __name__ == "__main__":
    guard_process()
    try:
        serve(Channel(sys.argv[1]))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the parent is gone
