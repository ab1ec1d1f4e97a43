"""What the bridge uses of Gymnasium, with environments whose every step is known."""
import os
import random
import signal
import time

import numpy as np

__version__ = "stand-in"
if os.environ.get("STANDIN_LOG"):
    with open(os.environ["STANDIN_LOG"], "a") as log:
        log.write("import\n")


class Discrete:
    def __init__(self, n, start=0):
        self.n, self.start = np.int64(n), np.int64(start)


class MultiDiscrete:
    pass


class Dict:
    def __repr__(self):
        return "Dict('a': Box)"


class MultiBinary:
    def __init__(self, n):
        self.shape = (n,)


class Box:
    def __init__(self, low, high, shape, dtype=np.float32):
        self.low, self.high = np.full(shape, low, dtype), np.full(shape, high, dtype)
        self.shape, self.dtype = shape, np.dtype(dtype)


class UnregisteredEnv(Exception):
    pass


class NameNotFound(UnregisteredEnv):
    pass


class Env:
    metadata = {}
    observation_space = Box(-np.inf, np.inf, (3,))
    action_space = Discrete(2)
    first_step = True

    @property
    def unwrapped(self):
        return self

    def reset(self, seed=None):
        if seed is not None:
            self.seed, self.episode = seed, 0
        self.episode += 1
        self.position, self.steps = 0.0, 0
        return self.see(), {}

    def see(self):
        return np.array([self.position, self.seed % 1000, self.episode], np.float32)

    def step(self, action):
        self.steps += 1
        self.act(action)
        return self.see(), self.reward(action), self.is_lost(), self.steps == 20, {}

    def act(self, action):
        self.position += 0.25 if action == 1 else -0.25

    def reward(self, action):
        return float(action) + 0.5

    def is_lost(self):
        return abs(self.position) >= 1

    def close(self):
        if os.environ.get("STANDIN_LOG"):
            with open(os.environ["STANDIN_LOG"], "a") as log:
                log.write("close\n")


class Walk(Env):
    """Left or right by a quarter; lost at a distance of 1, at its limit after 20 steps."""


class Raises(Env):
    """An exception at the fifth step of each episode that goes right."""

    def act(self, action):
        self.position += 0.01
        if self.steps == 5 and action == 1:
            raise ValueError("step 5 is too much")


class RaisesAtReset(Env):
    def reset(self, seed=None):
        raise ValueError("no reset today")


class RaisesWhenMade(Env):
    def __init__(self):
        raise ValueError("not made")


class BreaksFor(Env):
    """After an exception it does nothing more, until it is made anew."""
    broken = False

    def reset(self, seed=None):
        if self.broken:
            raise RuntimeError("broken")
        return super().reset(seed)

    def act(self, action):
        if action == 1:
            self.broken = True
            raise ValueError("now it is broken")


class Hangs(Env):
    def act(self, action):
        if action == 1:
            self.wait_for_ever()

    def wait_for_ever(self):
        time.sleep(1000)


class HangsWhenMade(Env):
    def __init__(self):
        with open(os.environ["STANDIN_LOG"], "a") as log:
            log.write("hanging\n")
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
        time.sleep(1000)


class Dies(Env):
    def act(self, action):
        if action == 1:
            os.kill(os.getpid(), signal.SIGKILL)


class Prints(Env):
    def act(self, action):
        print("garbage on standard output")
        os.write(1, b"\x00\x01 more of it\n")
        os.system("echo and from a child")
        self.position = -1.0
        if self.steps == 5:
            os._exit(7)

    def is_lost(self):
        return False


class NotFinite(Env):
    """Action 1 makes an observation that is no number, action 2 such a reward."""
    action_space = Discrete(3)

    def act(self, action):
        self.position = np.nan if action == 1 else 0.125 * self.steps

    def reward(self, action):
        return np.inf if action == 2 else 1.0


class Numbers(Env):
    """Discrete observations from 1 to 5, actions from 2 to 4."""
    observation_space = Discrete(5, start=1)
    action_space = Discrete(3, start=2)
    last = 1

    def see(self):
        return self.last

    def act(self, action):
        assert action.dtype == np.int64
        self.last = int(action)


class Bits(Env):
    observation_space = MultiBinary(10)

    def see(self):
        return np.array([1, 0, 0, 1, 0, 0, 0, 0, int(self.steps % 2), 1], np.int8)


class Picture(Env):
    """Bytes without channels; draws itself."""
    metadata = {"render_modes": ["rgb_array"]}
    observation_space = Box(0, 255, (4, 5), np.uint8)

    def __init__(self, render_mode=None):
        self.render_mode = render_mode

    def see(self):
        return (np.arange(20).reshape(4, 5) + self.steps).astype(np.uint8)

    def render(self):
        frame = np.zeros((200, 160, 3), np.uint8)
        frame[:, :80] = [255, 0, 0]
        return frame


class Push(Env):
    """Two forces within ±2, in double precision; rewarded is what arrives. A single number is seen."""
    observation_space = Box(-np.inf, np.inf, (), np.float64)
    action_space = Box(-2, 2, (2,), np.float64)

    def see(self):
        return 0.5 * self.steps

    def act(self, action):
        assert action.dtype == np.float64
        self.force = action

    def reward(self, action):
        return action[0] + 10 * action[1]


class Unbounded(Env):
    action_space = Box(-np.inf, np.inf, (2,))


class SeesDict(Env):
    observation_space = Dict()


class ManyChoices(Env):
    action_space = MultiDiscrete()


class WrongShape(Env):
    observation_space = Box(0, 1, (7,))


class ManyActions(Env):
    action_space = Discrete(2 ** 40)


class ManyNumbers(Env):
    observation_space = Discrete(2 ** 40)


class Large(Env):
    """Observations that can be had, but not so many copies of them."""
    observation_space = Box(-1, 1, (1,))
    observation_space.shape = (2 ** 24,)


class SaysNoText(Env):
    """A message with half a surrogate pair, as an undecodable file name has."""

    def act(self, action):
        if action == 1:
            raise ValueError("no file \udcff here")


class LeavesAChild(Env):
    """Starts a process that outlives it."""

    def __init__(self):
        import subprocess
        child = subprocess.Popen(["sleep", "1000"])
        with open(os.environ["STANDIN_LOG"], "a") as log:
            log.write("child %d\n" % child.pid)


class Keeps(Env):
    """Notes its actions: the last ones are seen, in base 4."""
    action_space = Discrete(3)

    def act(self, action):
        self.position = (4 * self.position + int(action) + 1) % 4 ** 8

    def is_lost(self):
        return False


class Lives:
    def __init__(self):
        self.left = 3

    def lives(self):
        return self.left


class Game(Env):
    """An emulator: frame number f is grey f + 1 everywhere, but every second one has a black upper half. A life goes after 30
    frames, and the game with the third. Its rewards are 1 a frame."""
    observation_space = Box(0, 255, (210, 160), np.uint8)
    action_space = Discrete(4)

    def __init__(self, frameskip, obs_type, repeat_action_probability=0.25, full_action_space=False):
        assert frameskip == 1 and obs_type == "grayscale"
        self.repeat = repeat_action_probability
        self.action_space = Discrete(18 if full_action_space else 4)
        self.ale = Lives()

    def reset(self, seed=None):
        self.ale.left = 3
        return super().reset(seed)

    def see(self):
        frame = np.full((210, 160), self.steps + 1, np.uint8)
        if self.steps % 2 == 1:
            frame[:105] = 0
        return frame

    def step(self, action):
        self.steps += 1
        self.ale.left = 3 - self.steps // 30
        return self.see(), self.repeat if self.repeat != 0.25 else 1.0, self.ale.left == 0, False, {}


KNOWN = {
    "Walk-v0": Walk, "Raises-v0": Raises, "RaisesAtReset-v0": RaisesAtReset, "RaisesWhenMade-v0": RaisesWhenMade, "Breaks-v0": BreaksFor,
    "Hangs-v0": Hangs, "HangsWhenMade-v0": HangsWhenMade, "Dies-v0": Dies, "Prints-v0": Prints, "NotFinite-v0": NotFinite,
    "Numbers-v0": Numbers, "Bits-v0": Bits, "Picture-v0": Picture, "Push-v0": Push, "Unbounded-v0": Unbounded,
    "SeesDict-v0": SeesDict, "ManyChoices-v0": ManyChoices, "WrongShape-v0": WrongShape, "ALE/Game-v5": Game,
    "ManyActions-v0": ManyActions, "ManyNumbers-v0": ManyNumbers, "Large-v0": Large, "SaysNoText-v0": SaysNoText,
    "LeavesAChild-v0": LeavesAChild, "Keeps-v0": Keeps,
}


def make(id, disable_env_checker=None, **kwargs):
    if id not in KNOWN:
        raise NameNotFound("Environment `%s` doesn't exist. Did you mean: `Walk`?" % id)
    return KNOWN[id](**kwargs)
