/** What /api gives, as /api/openapi.json says. */

export interface JobCounts { queued: number; running: number; done: number; failed: number; pending_review: number }

export interface Study {
  study_uid: string; patient_name: string; patient_id: string; birth_date: string; study_date: string; study_time: string;
  description: string; accession: string; modalities: string[]; series_count: number; instance_count: number; received_ms: number;
  jobs?: Partial<JobCounts>;
}
export interface InstanceEntry { sop_uid: string; number: number; frames: number }
export interface Series {
  series_uid: string; modality: string; number: number; description: string; instance_count: number; frame_count: number;
  rows: number; columns: number; sop_class: string; transfer_syntax: string; instances: InstanceEntry[];
}
export interface StudyDetail extends Study { series: Series[] }
export interface StudyList { total: number; studies: Study[] }

export type JobState = 'queued' | 'running' | 'done' | 'partly_done' | 'failed' | 'cancelled';
export interface JobInput { role: string; series_uid: string }
export interface Job {
  id: string; state: string; task: string; method: string; study_uid: string; inputs: JobInput[]; settings: Record<string, SettingValue>;
  progress: number; doing: string; problem: string; attempts: number; review: string;
  created_ms: number; started_ms: number; ended_ms: number; exit_code: number | null; priority: string;
}

export type SettingValue = string | number | boolean | null;
export interface Parameter {
  name: string; type: 'number' | 'integer' | 'choice' | 'flag' | 'text'; unit?: string; default?: SettingValue; minimum?: number; maximum?: number;
  choices?: string[]; text?: string;
}
export interface CardInput { role: string; kind: string; modalities?: string[]; unit?: string; required?: boolean; from?: (string | Code)[]; text?: string }
export interface CardOutput { role: string; kind: string; unit?: string; code?: Code; text?: string }
export interface Code { scheme: string; value: string; meaning: string }
export interface CardResult { requirement?: string; data: string; n?: number; metric: string; value: number; ci95?: [number, number]; class?: string; command?: string }
export interface Card {
  id: string; task: string; title: string; version: string; modalities: string[]; inputs: CardInput[]; outputs: CardOutput[]; parameters?: Parameter[];
  algorithm?: string; reference?: string; evidence_note?: string; intended_use?: string; not_for?: string[]; known_failures?: string[];
  results?: CardResult[]; determinism?: string; weights_licence?: string; gate?: { in_report?: boolean; kinds?: string[] };
}

export interface Segment { value: number; name: string; code?: Code; volume_ml?: number; side?: string | null; region?: string }
export interface Artifact {
  kind: string; role?: string; file: string; made_by?: string; series_uid?: string; segments?: Segment[]; unit?: string; synthetic?: boolean;
}
export interface Score { label: string; probability: number | null; score?: number; code?: Code; made_by?: string; series_uid?: string }
export interface Finding {
  label: string; score?: number; centre_mm?: number[]; box_mm?: number[]; size_mm?: number; centre_px?: number[]; box_px?: number[]; size_px?: number;
  frame?: number; made_by?: string; series_uid?: string;
}
export interface Measurement {
  name: string; value: number | string | null; unit: string; region?: string; side?: string | null; formula?: string; made_by?: string; series_uid?: string;
  centre_mm?: number[]; plausible_range?: [number, number]; reference_range?: { lo: number; hi: number; population: string; source: string };
}
export interface Remark { severity: string; code: string; text: string; series_uid?: string; made_by?: string }
export interface Ranked { case: string; score: number; why?: string; study_uid?: string }
export interface Result {
  task: string; method: string; method_version?: string; seed?: number; inputs?: { role: string; series_uid?: string; modality?: string }[];
  artifacts: Artifact[]; scores: Score[]; findings: Finding[]; measurements: Measurement[]; ranking: Ranked[]; remarks: Remark[];
  series?: { series_uid: string; modality: string; recognised?: unknown; folder?: string; faults?: unknown[] }[];
}
export interface JobFile { name: string; bytes: number; type: string }
export interface AuditEvent { time_ms?: number; when_ms?: number; what?: string; action?: string; [key: string]: unknown }
export interface NewJob {
  task: string; method?: string; inputs?: JobInput[]; settings?: Record<string, SettingValue>; study_uid?: string; seed?: number; memory_gb?: number;
  review?: 'pending' | 'automatic'; send_to?: string[]; priority?: 'interactive' | 'batch';
}
