import type { Generated } from 'kysely';

/** A label: global, or of one project. */
export interface LabelsTable {
  readonly id: Generated<number>;
  /** Null for a global label. */
  readonly project_id: number | null;
  name: string;
  description: string;
  /** `#rrggbb`, or empty. */
  color: string;
  readonly created_at_ms: number;
  updated_at_ms: number;
}

/** Which artifact has which label. */
export interface ArtifactLabelsTable {
  readonly artifact_id: number;
  readonly label_id: number;
  readonly created_at_ms: number;
}

/** The tables of `labels`. */
export interface LabelsTables {
  labels: LabelsTable;
  artifact_labels: ArtifactLabelsTable;
}
