#!/usr/bin/env bash
# nnunet.sh FOLDER MODALITY: imports tests/nnunet/FOLDER, runs it on its image, and compares with the labels that nnU-Net gave
# (a mean difference of 0.001 is less than one label in a thousand).
set -euo pipefail
source=$ROOT/tests/nnunet/$1
$PENTA model import "$source" --licence CC0-1.0 --into models
export PENTA_MODELS=$PWD/models
inputs=()
if [ -e "$source/image_1.nii.gz" ]; then
  inputs=("t1=$source/image_0.nii.gz" "flair=$source/image_1.nii.gz")
else
  inputs=("$source/image_0.nii.gz")
fi
$PENTA segment "$2.$1" "${inputs[@]}" -o out --set "modality=${2^^}"
$PENTA compare out/labels.nii.gz "$source/expected.nii.gz" --metric mean_abs --json >difference
python3 -c 'import json; v = json.load(open("difference"))["metrics"][0]["value"]; assert v <= 0.001, v'
$PENTA compare out/labels.nii.gz "$source/expected.nii.gz" --metric dice --json >dice
python3 -c 'import json; v = [m["value"] for m in json.load(open("dice"))["metrics"]]; assert v and min(v) >= 0.99, v'
