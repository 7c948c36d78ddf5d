P=${PENTA:-penta}   # sh train/any.modality/scans.sh FOLDER
for s in $(seq 1 24); do
 $P generate spect.simulate --seed $s --set counts_million=$(python3 -c "print([0.4,1,2,4,8,12][$s%6])") --set arc=$([ $((s%2)) = 0 ] && echo 180 || echo 360) --threads 1 --quiet -o $1/spect$s >/dev/null 2>&1
 $P process spect.reconstruct $1/spect$s/dicom --threads 1 --quiet -o $1/spectrec$s >/dev/null 2>&1
 $P generate pet.simulate --seed $s --set resolution_mm=$((4+s%6)) --set bed_s=$((30+(s*37)%200)) --set lesions=$((s%5)) --threads 1 --quiet -o $1/pet$s >/dev/null 2>&1
 $P generate ct.simulate --seed $s --set slices=40 --set dose=$(python3 -c "print([0.05,0.2,0.5,1,2][$s%5])") --set contrast=$([ $((s%2)) = 0 ] && echo none || echo portal) --threads 1 --quiet -o $1/ct$s >/dev/null 2>&1
 $P generate us.simulate --seed $s --threads 1 --quiet -o $1/us$s >/dev/null 2>&1
done
