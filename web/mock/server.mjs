// A stand-in for `penta serve` while the page is worked on: the same addresses, drawn images, jobs that take two seconds.
// node mock/server.mjs [PORT] [FOLDER OF THE BUILT PAGE] [CARDS.json, from `penta methods --json`]
import { createServer } from 'node:http';
import { existsSync, readFileSync } from 'node:fs';
import { extname, join, normalize } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ctOf, cineOf, labelsNifti, petOf } from './phantoms.mjs';

const [port = '8142', folder = '../build/web', cardsFile = ''] = process.argv.slice(2);
const CSP = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; img-src 'self' data: blob:; connect-src 'self' blob: data:; style-src 'self'; style-src-attr 'unsafe-inline'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'";
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.wasm': 'application/wasm', '.json': 'application/json' };

const study = (number, patient_name, patient_id, description) => ({ study_uid: `2.25.100${number}`, patient_name, patient_id, birth_date: '19600502', study_date: '20240131', study_time: '101500', description, accession: `A${number}`, received_ms: Date.now() - number * 6e5 });
const studies = [];
function addStudy(facts, series) {
  const modalities = [...new Set(series.map((one) => one.modality))];
  studies.push({ ...facts, modalities, series_count: series.length, instance_count: series.reduce((sum, one) => sum + one.instances.length, 0), series });
}
const petct = study(1, 'SYN^Trunk', 'SYN-1', 'SYNTHETIC PET/CT of a trunk'), heart = study(2, 'Zhang^San', 'P-77', 'Echo');
addStudy(petct, [ctOf(petct), petOf(petct)]);
addStudy(heart, [cineOf(heart)]);

const fallback = { id: 'ct.body', version: '1', title: 'Finds the patient in a CT image', task: 'segmentation', modalities: ['CT'], inputs: [{ role: 'image', kind: 'image', modalities: ['CT'] }], outputs: [{ role: 'labels', kind: 'labels' }],
  parameters: [{ name: 'lower_hu', type: 'number', unit: "[hnsf'U]", default: -400, minimum: -900, maximum: 0, text: 'denser voxels are body' }] };
const cards = existsSync(cardsFile) ? JSON.parse(readFileSync(cardsFile, 'utf8')).methods : [fallback];
const jobs = new Map(), listeners = new Set(), audit = [];

function tell(event, data) {
  for (const answer of listeners) answer.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}
function note(what, about) { audit.unshift({ time_ms: Date.now(), actor: 'local', what, about }); }

function startJob(body) {
  const uid = body.study_uid ?? studies.find((one) => one.series.some((series) => series.uid === body.inputs?.[0]?.series_uid))?.study_uid ?? '';
  const job = { id: `job-${jobs.size + 1}`, state: 'queued', task: body.task, method: body.method ?? '', study_uid: uid, inputs: body.inputs ?? [], settings: body.settings ?? {}, progress: 0, doing: '', problem: '', attempts: 1,
    review: body.review ?? 'automatic', created_ms: Date.now(), started_ms: 0, ended_ms: 0, exit_code: null, priority: body.priority ?? 'interactive' };
  jobs.set(job.id, job);
  note('job queued', job.id);
  step(job);
  return job;
}

function step(job) {
  setTimeout(() => {
    if (job.state === 'cancelled') return;
    if (job.state === 'queued') Object.assign(job, { state: 'running', started_ms: Date.now() });
    job.progress = Math.min(1, job.progress + 0.25);
    job.doing = 'working';
    if (job.progress >= 1) Object.assign(job, { state: job.settings.lower_hu === -899 ? 'failed' : 'done', problem: job.settings.lower_hu === -899 ? 'the image holds no body' : '', ended_ms: Date.now(), exit_code: 0 });
    tell('job', job);
    if (job.progress < 1) step(job);
  }, 400);
}

function resultOf(job) {
  const series_uid = job.inputs[0]?.series_uid ?? `${job.study_uid}.1`, about = { made_by: job.method || 'ct.body', series_uid };
  const isTrunk = job.study_uid === petct.study_uid;
  return { penta: '0.1.0', task: job.task, method: job.method, seed: 0, inputs: job.inputs, scores: [{ label: 'nodule', probability: 0.91, ...about }, { label: 'no nodule', probability: 0.09, ...about }],
    artifacts: isTrunk ? [{ kind: 'labelmap', role: 'labels', file: 'labels.nii.gz', segments: [{ value: 1, name: 'body', volume_ml: 16800 }, { value: 2, name: 'nodule', volume_ml: 15.6 }], ...about }] : [],
    findings: isTrunk ? [{ label: 'nodule', score: 0.91, centre_mm: [-72, -27, 200], box_mm: [-90, -45, 181, -54, -9, 219], size_mm: 33, ...about }] : [{ label: 'ring', score: 0.7, box_px: [45, 28, 115, 96], frame: 3, size_px: 70, series_uid }],
    measurements: [{ name: 'volume', value: 15.6, unit: 'mL', region: 'nodule', side: null, ...about }, { name: 'volume', value: 16800, unit: 'mL', region: 'body', side: null, plausible_range: [20000, 200000], ...about }],
    ranking: [], remarks: [{ severity: 'note', code: 'mock', text: 'Drawn by the mock server.' }] };
}

const json = (answer, status, body) => { answer.writeHead(status, { 'Content-Type': status >= 400 ? 'application/problem+json' : 'application/json' }); answer.end(JSON.stringify(body)); };
const problem = (answer, status, title, detail = '') => json(answer, status, { type: 'about:blank', title, status, detail });
const counted = (one) => {
  const mine = [...jobs.values()].filter((job) => job.study_uid === one.study_uid);
  const { series, ...facts } = one;
  return { ...facts, jobs: Object.fromEntries([...['queued', 'running', 'done', 'failed'].map((state) => [state, mine.filter((job) => job.state === state).length]), ['pending_review', mine.filter((job) => job.state === 'done' && job.review === 'pending').length]]) };
};
const seriesEntry = (one) => ({ series_uid: one.uid, modality: one.modality, number: one.number, description: one.description, instance_count: one.instances.length, frame_count: one.instances.reduce((sum, i) => sum + i.frames.length, 0),
  rows: one.rows, columns: one.columns, sop_class: '', transfer_syntax: '1.2.840.10008.1.2.1', instances: one.instances.map((i, n) => ({ sop_uid: i.sop, number: n + 1, frames: i.frames.length })) });

const API = [
  ['GET', /^health$/, (a) => json(a, 200, { status: 'ok', version: '0.1.0 (mock)' })],
  ['GET', /^methods$/, (a) => json(a, 200, { methods: cards, research_use: '' })],
  ['GET', /^studies$/, (a, _m, q) => {
    const text = (q.get('search') ?? '').toLowerCase(), modality = q.get('modality') ?? '';
    const found = studies.filter((one) => `${one.patient_name} ${one.patient_id} ${one.description}`.toLowerCase().includes(text) && (!modality || one.modalities.includes(modality)));
    json(a, 200, { total: found.length, studies: found.map(counted) });
  }],
  ['GET', /^studies\/([^/]+)$/, (a, m) => { const one = studies.find((s) => s.study_uid === m[1]); if (one) json(a, 200, { ...counted(one), series: one.series.map(seriesEntry) }); else problem(a, 404, 'No such study'); }],
  ['DELETE', /^studies\/([^/]+)$/, (a, m) => { studies.splice(studies.findIndex((s) => s.study_uid === m[1]), 1); a.writeHead(204); a.end(); }],
  ['POST', /^jobs$/, (a, _m, _q, body) => json(a, 201, startJob(JSON.parse(body)))],
  ['GET', /^jobs$/, (a, _m, q) => json(a, 200, { jobs: [...jobs.values()].reverse().filter((job) => (!q.get('study_uid') || job.study_uid === q.get('study_uid')) && (!q.get('state') || job.state === q.get('state'))) })],
  ['GET', /^jobs\/([^/]+)$/, (a, m) => (jobs.has(m[1]) ? json(a, 200, jobs.get(m[1])) : problem(a, 404, 'No such job'))],
  ['POST', /^jobs\/([^/]+)\/(cancel|retry|accept|reject)$/, (a, m) => {
    const job = jobs.get(m[1]);
    if (m[2] === 'cancel') job.state = 'cancelled';
    else if (m[2] === 'retry') { Object.assign(job, { state: 'queued', progress: 0, problem: '', settings: {} }); step(job); } else job.review = `${m[2]}ed`;
    note(`job ${m[2]}`, job.id);
    tell('job', job);
    json(a, 200, job);
  }],
  ['GET', /^jobs\/([^/]+)\/result$/, (a, m) => json(a, 200, resultOf(jobs.get(m[1])))],
  ['GET', /^jobs\/([^/]+)\/files$/, (a, m) => json(a, 200, { files: jobs.get(m[1]).task === 'report' ? [{ name: 'report.html', bytes: 300, type: 'text/html' }, { name: 'report.pdf', bytes: 900, type: 'application/pdf' }] : [{ name: 'labels.nii.gz', bytes: 4000, type: 'application/gzip' }] })],
  ['GET', /^jobs\/([^/]+)\/files\/(.+)$/, (a, m) => {
    a.writeHead(200, { 'Content-Type': m[2].endsWith('.html') ? 'text/html; charset=utf-8' : 'application/octet-stream' });
    a.end(m[2].endsWith('.html') ? '<!doctype html><title>Report</title><h1>Report</h1><p>Research use, not a medical device</p>' : gzipSync(labelsNifti()));
  }],
  ['GET', /^reports\/([^/]+)$/, (a, m) => { const job = [...jobs.values()].reverse().find((one) => one.task === 'report' && one.study_uid === m[1] && one.state === 'done'); if (job) json(a, 200, { job_id: job.id }); else problem(a, 404, 'No report'); }],
  ['GET', /^rules$/, (a) => json(a, 200, { rules: [{ when: { modality: 'CT' }, run: ['report'], review: 'pending', send_to: [] }], peers: [] })],
  ['GET', /^audit$/, (a) => json(a, 200, { events: audit })],
  ['GET', /^events$/, (a) => { a.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' }); a.write(': hello\n\n'); listeners.add(a); a.on('close', () => listeners.delete(a)); }],
];

function stow(answer, body) {
  const count = body.toString('latin1').split('application/dicom\r\n\r\n').length - 1;
  json(answer, 200, { '00081199': { vr: 'SQ', Value: Array.from({ length: count }, () => ({})) } });
  tell('study', { study_uid: petct.study_uid, series_uid: '' });
}

function dicomweb(answer, path) {
  const match = /^studies\/([^/]+)\/series\/([^/]+)\/(?:metadata|thumbnail|instances\/([^/]+)\/frames\/([\d,]+))$/.exec(path);
  const series = studies.find((one) => one.study_uid === match?.[1])?.series.find((one) => one.uid === match?.[2]);
  if (!series || path.endsWith('thumbnail')) return problem(answer, 404, 'Not here');
  if (path.endsWith('metadata')) return json(answer, 200, series.instances.map((one) => one.header));
  const instance = series.instances.find((one) => one.sop === match[3]);
  answer.writeHead(200, { 'Content-Type': 'multipart/related; type="application/octet-stream"; boundary=edge' });
  for (const number of match[4].split(',')) answer.write(Buffer.concat([Buffer.from('--edge\r\nContent-Type: application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1\r\n\r\n'), instance.frames[number - 1](), Buffer.from('\r\n')]));
  answer.end('--edge--\r\n');
}

function page(answer, path) {
  const file = join(folder, normalize(`/${path}`));
  const found = existsSync(file) && extname(file) ? file : join(folder, 'index.html');
  answer.writeHead(200, { 'Content-Type': TYPES[extname(found)] ?? 'application/octet-stream', 'Content-Security-Policy': CSP });
  answer.end(readFileSync(found));
}

createServer((question, answer) => {
  const address = new URL(question.url, 'http://localhost'), path = decodeURIComponent(address.pathname).slice(1);
  const parts = [];
  question.on('data', (part) => parts.push(part));
  question.on('end', () => {
    const body = Buffer.concat(parts);
    if (path === 'dicomweb/studies' && question.method === 'POST') return stow(answer, body);
    if (path.startsWith('dicomweb/')) return dicomweb(answer, path.slice(9));
    if (!path.startsWith('api/')) return page(answer, path);
    for (const [method, pattern, act] of API) {
      const match = pattern.exec(path.slice(4));
      if (match && method === question.method) return act(answer, match, address.searchParams, body.toString());
    }
    return problem(answer, 404, 'No such address', path);
  });
}).listen(Number(port), '127.0.0.1', () => process.stdout.write(`mock at http://127.0.0.1:${port}/\n`));
