from framelink.wire.format import FrameFormat
from framelink.wire.frame import Frame as Frame
from framelink.wire.python_engine import PythonEngine

class Engine(PythonEngine): ...

def encode(frame: Frame, format: FrameFormat = ...) -> bytes: ...
