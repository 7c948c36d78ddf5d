#!/usr/bin/env bash
# Makes the sample studies in a folder: tools/samples.sh FOLDER [PENTA]. Four are simulated by ourselves (seed 1),
# the MR is Colin27 (Debian's mricron-data). What is there and newer than the program is left alone.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=${1:?folder}
penta=${2:-build/release/penta}
colin=/usr/share/mricron/templates/ch2.nii.gz

[ "$folder/.made" -nt "$penta" ] && exit 0
rm -rf "$folder.new" "$folder.work"
mkdir -p "$folder.new"
export SOURCE_DATE_EPOCH=1704067200
for method in ct.simulate us.simulate pet.simulate spect.simulate; do
  printf '  %s\n' "$method" >&2
  "$penta" generate "$method" --seed 1 -o "$folder.work" --quiet >/dev/null
  mv "$folder.work/dicom" "$folder.new/${method%.simulate}-simulated"
  rm -rf "$folder.work"
done
printf '  MR: Colin27\n' >&2
[ -f $colin ] || { printf 'samples: %s is missing\n  what to do: apt-get install mricron-data\n' $colin >&2; exit 1; }
"$penta" convert $colin "$folder.new/mr-colin27" --set modality=MR >/dev/null
rm -rf "$folder"
mv "$folder.new" "$folder"
touch "$folder/.made"
