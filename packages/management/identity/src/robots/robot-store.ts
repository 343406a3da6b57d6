import { VicError } from '@vic/errors';
import { type Database, type Executor, isUniqueViolation } from '@vic/sql';
import type { StoredGrant } from '../grants/stored-grants.ts';
import { FOREVER, type Robot, expiryOf, robotOfRow } from './robot.ts';

/** A robot to be made. */
export interface RobotRow {
  readonly name: string;
  readonly description: string;
  readonly level: Robot['level'];
  readonly projectId: number;
  readonly durationDays: number;
  readonly disabled: boolean;
  readonly secretHash: string;
  readonly grants: readonly StoredGrant[];
  readonly creatorKind: Robot['creatorKind'];
  readonly creatorId: number;
}

/** What can be changed of a robot. */
export interface RobotChange {
  readonly description: string;
  readonly disabled: boolean;
  readonly durationDays: number;
  readonly grants: readonly StoredGrant[];
}

/** How exactly the last use is known. */
const USED_GRANULARITY_MS = 60_000;

/** The table of robots. */
export class RobotStore {
  readonly #database: Database;
  readonly #clock: () => number;

  constructor(database: Database, clock: () => number) {
    this.#database = database;
    this.#clock = clock;
  }

  /** The robot with that id. */
  async find(id: number): Promise<Robot | undefined> {
    const row = await this.#database.db.selectFrom('robots').selectAll().where('id', '=', id).executeTakeFirst();
    return row === undefined ? undefined : robotOfRow(row);
  }

  /** The robot with that id, or `NotFound`. */
  async get(id: number): Promise<Robot> {
    const robot = await this.find(id);
    if (robot === undefined) throw noSuchRobot(id);
    return robot;
  }

  /** The robot with that stored name. */
  async findByName(name: string): Promise<Robot | undefined> {
    const row = await this.#database.db.selectFrom('robots').selectAll().where('name', '=', name).executeTakeFirst();
    return row === undefined ? undefined : robotOfRow(row);
  }

  /** Makes a robot; a name that is taken is refused. */
  async insert(robot: RobotRow): Promise<Robot> {
    const now = this.#clock();
    try {
      const row = await this.#database.db
        .insertInto('robots')
        .values({
          name: robot.name,
          description: robot.description,
          level: robot.level,
          project_id: robot.projectId,
          duration_days: robot.durationDays,
          expires_at_ms: expiryOf(now, robot.durationDays),
          disabled: robot.disabled ? 1 : 0,
          secret_hash: robot.secretHash,
          grants: JSON.stringify(robot.grants),
          creator_kind: robot.creatorKind,
          creator_id: robot.creatorId,
          created_at_ms: now,
          updated_at_ms: now,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      return robotOfRow(row);
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw new VicError({
        class: 'AlreadyExists',
        code: 'ROBOT_EXISTS',
        message: `robot account ${robot.name} already exists`,
        cause: error,
      });
    }
  }

  /** Changes a robot; its time is counted from its making. */
  async update(robot: Robot, change: RobotChange): Promise<void> {
    await this.#database.db
      .updateTable('robots')
      .set({
        description: change.description,
        disabled: change.disabled ? 1 : 0,
        duration_days: change.durationDays,
        expires_at_ms: expiryOf(robot.createdAtMs, change.durationDays),
        grants: JSON.stringify(change.grants),
        updated_at_ms: this.#clock(),
      })
      .where('id', '=', robot.id)
      .execute();
  }

  /** Replaces the secret. */
  async setSecretHash(id: number, hash: string): Promise<void> {
    await this.#database.db
      .updateTable('robots')
      .set({ secret_hash: hash, updated_at_ms: this.#clock() })
      .where('id', '=', id)
      .execute();
  }

  /** Notes that the robot was used. */
  async touch(robot: Robot): Promise<void> {
    const now = this.#clock();
    if (robot.lastUsedAtMs !== undefined && robot.lastUsedAtMs > now - USED_GRANULARITY_MS) return;
    await this.#database.db.updateTable('robots').set({ last_used_at_ms: now }).where('id', '=', robot.id).execute();
  }

  /** Removes a robot. */
  async remove(id: number): Promise<void> {
    const { numDeletedRows } = await this.#database.db.deleteFrom('robots').where('id', '=', id).executeTakeFirst();
    if (numDeletedRows === 0n) throw noSuchRobot(id);
  }

  /** Removes those the product made for itself and forgot. */
  async prune(): Promise<void> {
    await this.#database.db
      .deleteFrom('robots')
      .where('creator_kind', '=', 'system')
      .where('expires_at_ms', '!=', FOREVER)
      .where('expires_at_ms', '<=', this.#clock())
      .execute();
  }

  /** Removes the robots of a project, in the transaction that removes the project. */
  async removeOfProject(transaction: Executor, projectId: number): Promise<void> {
    await transaction.deleteFrom('robots').where('level', '=', 'project').where('project_id', '=', projectId).execute();
  }
}

function noSuchRobot(id: number): VicError {
  return new VicError({ class: 'NotFound', code: 'ROBOT_NOT_FOUND', message: `robot ${id} not found` });
}
