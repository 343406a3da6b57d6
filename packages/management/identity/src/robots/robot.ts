import type { Schema, Selectable } from '@vic/sql';
import { type StoredGrant, parseStoredGrants } from '../grants/stored-grants.ts';

/** An account for programs. */
export interface Robot {
  readonly id: number;
  /** Without the prefix; with the project and `+` for a project's. */
  readonly name: string;
  readonly description: string;
  readonly level: 'system' | 'project';
  /** 0 for a robot of the system. */
  readonly projectId: number;
  /** −1 for ever. */
  readonly durationDays: number;
  /** −1 for never. */
  readonly expiresAtMs: number;
  readonly disabled: boolean;
  readonly secretHash: string;
  readonly grants: readonly StoredGrant[];
  /** `system` for those the product made for itself, which no list shows. */
  readonly creatorKind: 'user' | 'robot' | 'system';
  readonly creatorId: number;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly lastUsedAtMs: number | undefined;
}

/** Lives for ever. */
export const FOREVER = -1;

const DAY_MS = 24 * 60 * 60_000;

/** When a robot made at that time and living so many days expires. */
export function expiryOf(createdAtMs: number, durationDays: number): number {
  return durationDays === FOREVER ? FOREVER : createdAtMs + durationDays * DAY_MS;
}

/** Whether the robot's time is over. */
export function isExpired({ expiresAtMs }: Pick<Robot, 'expiresAtMs'>, nowMs: number): boolean {
  return expiresAtMs !== FOREVER && expiresAtMs <= nowMs;
}

/** The robot of a row. */
export function robotOfRow(row: Selectable<Schema['robots']>): Robot {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    level: row.level,
    projectId: row.project_id,
    durationDays: row.duration_days,
    expiresAtMs: row.expires_at_ms,
    disabled: row.disabled === 1,
    secretHash: row.secret_hash,
    grants: parseStoredGrants(row.grants),
    creatorKind: row.creator_kind,
    creatorId: row.creator_id,
    createdAtMs: row.created_at_ms,
    updatedAtMs: row.updated_at_ms,
    lastUsedAtMs: row.last_used_at_ms ?? undefined,
  };
}
