import {
  EVERY_PROJECT,
  type Grant,
  type Permission,
  type Principal,
  type ProjectIdentity,
  firstBeyond,
  validateGrants,
} from '@vic/authz';
import { VicError } from '@vic/errors';
import type { PasswordHasher } from '../credentials/password-hash.ts';
import { randomSecret } from '../credentials/random-secret.ts';
import { requireAcceptableSecret } from '../credentials/secret-rules.ts';
import type { ProjectLookup } from '../grants/project-lookup.ts';
import { liveGrants, storeGrants } from '../grants/stored-grants.ts';
import type { IdentitySettings } from '../sources/identity-configuration.ts';
import { FOREVER, type Robot } from './robot.ts';
import { requireRobotName, storedRobotName } from './robot-name.ts';
import type { RobotStore } from './robot-store.ts';

/** A robot to be made. */
export interface NewRobot {
  /** Without prefix and project. */
  readonly name: string;
  readonly description: string;
  readonly level: Robot['level'];
  /** Days; −1 for ever. */
  readonly durationDays: number;
  readonly disabled: boolean;
  readonly grants: readonly Grant[];
  /** A random one when absent. */
  readonly chosenSecret?: string;
}

/** What can be changed of a robot. */
export interface RobotUpdate {
  readonly description: string;
  readonly disabled: boolean;
  readonly durationDays: number;
  readonly grants: readonly Grant[];
}

/** A robot that the product needs for a task of its own. */
export interface InternalRobot {
  /** What it is for: the beginning of its name. */
  readonly purpose: string;
  readonly project: ProjectIdentity;
  /** Also what nobody can be given, as `scanner-pull`. */
  readonly permissions: readonly Permission[];
}

/** A robot as others see it: with its full name and what it may now. */
export interface RobotView extends Omit<Robot, 'grants' | 'secretHash'> {
  readonly fullName: string;
  readonly grants: readonly Grant[];
}

/** What {@link Robots} is composed of. */
export interface RobotsDeps {
  readonly store: RobotStore;
  readonly hasher: PasswordHasher;
  readonly projects: ProjectLookup;
  readonly settings: IdentitySettings;
}

const MAX_DAYS = 2 ** 31 - 1;
const INTERNAL_SUFFIX_LENGTH = 16;

/** Robot accounts, and what their makers may give them. */
export class Robots {
  readonly #deps: RobotsDeps;

  constructor(deps: RobotsDeps) {
    this.#deps = deps;
  }

  /** Makes a robot, whose secret is given here and never again. */
  async create(robot: NewRobot, creator: Principal): Promise<{ readonly robot: RobotView; readonly secret: string }> {
    requireRobotName(robot.name);
    requireDuration(robot.durationDays);
    const project = await this.homeOf(robot);
    requireWithinCreator(robot.grants, creator);
    const { chosenSecret } = robot;
    if (chosenSecret !== undefined) requireAcceptableSecret(chosenSecret);
    const secret = chosenSecret ?? randomSecret();
    const { hasher } = this.#deps;
    const made = await this.#deps.store.insert({
      name: storedRobotName(robot.name, project?.name),
      description: robot.description,
      level: robot.level,
      projectId: project?.id ?? 0,
      durationDays: robot.durationDays,
      disabled: robot.disabled,
      secretHash: chosenSecret === undefined ? hasher.hashRandom(secret) : await hasher.hashChosen(secret),
      grants: await storeGrants(robot.grants, this.#deps.projects),
      creatorKind: creator.kind === 'robot' ? 'robot' : 'user',
      creatorId: creator.kind === 'anonymous' ? 0 : creator.id,
    });
    return { robot: await this.view(made), secret };
  }

  /** Makes a robot for a task of the product itself; no list shows it, and it lives for a day at most. */
  async createInternal(robot: InternalRobot): Promise<{ readonly robot: RobotView; readonly secret: string }> {
    const { id, name } = robot.project;
    const secret = randomSecret();
    const made = await this.#deps.store.insert({
      name: storedRobotName(`${robot.purpose}-${randomSecret(INTERNAL_SUFFIX_LENGTH).toLowerCase()}`, name),
      description: '',
      level: 'project',
      projectId: id,
      durationDays: 1,
      disabled: false,
      secretHash: this.#deps.hasher.hashRandom(secret),
      grants: [{ kind: 'project', project: name, projectId: id, permissions: robot.permissions }],
      creatorKind: 'system',
      creatorId: 0,
    });
    return { robot: await this.view(made), secret };
  }

  /** Changes a robot within what its maker may give; name, level and project stay. */
  async update(robot: Robot, update: RobotUpdate, changer: Principal): Promise<void> {
    requireDuration(update.durationDays);
    const project = await this.homeOf({ level: robot.level, grants: update.grants });
    if ((project?.id ?? 0) !== robot.projectId) throw invalid('cannot update the project id of robot');
    requireWithinCreator(update.grants, changer);
    const grants = await storeGrants(update.grants, this.#deps.projects);
    await this.#deps.store.update(robot, { ...update, grants });
  }

  /** Gives a robot another secret: a chosen one, or a random one, which is given here and never again. */
  async replaceSecret(robot: Robot, chosen: string | undefined): Promise<string | undefined> {
    if (chosen === undefined) {
      const secret = randomSecret();
      await this.#deps.store.setSecretHash(robot.id, this.#deps.hasher.hashRandom(secret));
      return secret;
    }
    requireAcceptableSecret(chosen);
    await this.#deps.store.setSecretHash(robot.id, await this.#deps.hasher.hashChosen(chosen));
    return undefined;
  }

  /**
   * The project a robot of that level and those grants belongs to; none for a robot of the system.
   *
   * A project's robot has the permissions of that one project and no others.
   */
  async homeOf(robot: Pick<NewRobot, 'level' | 'grants'>): Promise<ProjectIdentity | undefined> {
    validateGrants(robot.grants);
    if (robot.level === 'system') return undefined;
    const [grant, another] = robot.grants;
    if (grant?.scope.kind !== 'project' || grant.scope.project === EVERY_PROJECT || another !== undefined) {
      throw invalid('bad request permission');
    }
    const project = await this.#deps.projects.findProject(grant.scope.project, true);
    if (project !== undefined) return project;
    throw new VicError({
      class: 'NotFound',
      code: 'PROJECT_NOT_FOUND',
      message: `project ${grant.scope.project} not found`,
    });
  }

  /** A robot as others see it. */
  async view(robot: Robot): Promise<RobotView> {
    const { robotNamePrefix } = await this.#deps.settings.current();
    const { grants: stored, secretHash: _, ...rest } = robot;
    return {
      ...rest,
      fullName: `${robotNamePrefix}${robot.name}`,
      grants: await liveGrants(stored, this.#deps.projects),
    };
  }
}

/** Robots and access tokens cannot give more than they have; that a person may make the robot is asked before. */
function requireWithinCreator(grants: readonly Grant[], creator: Principal): void {
  const limit = creator.kind === 'anonymous' ? [] : creator.grants;
  const beyond = limit === undefined ? undefined : firstBeyond(grants, limit);
  if (beyond === undefined) return;
  const name = creator.kind === 'anonymous' ? 'anonymous' : creator.name;
  throw new VicError({
    class: 'PermissionDenied',
    code: 'ROBOT_GRANTS_DENIED',
    message: `permission scope is invalid. It must be equal to or more restrictive than the creator robot's permissions: ${name} does not have ${beyond}`,
  });
}

function requireDuration(days: number): void {
  if (days === FOREVER || (Number.isInteger(days) && days > 0 && days < MAX_DAYS)) return;
  throw invalid(`bad request error duration input: ${days}, duration must be either -1(Never) or a positive integer`);
}

function invalid(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'ROBOT_INVALID', message });
}
