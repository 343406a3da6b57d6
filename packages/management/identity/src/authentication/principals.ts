import type { Grant, Principal, RobotPrincipal, UserPrincipal } from '@vic/authz';
import { liveGrants } from '../grants/stored-grants.ts';
import type { ProjectLookup } from '../grants/project-lookup.ts';
import type { GroupStore } from '../groups/group-store.ts';
import { type Robot, isExpired } from '../robots/robot.ts';
import type { RobotStore } from '../robots/robot-store.ts';
import type { IdentitySettings } from '../sources/identity-configuration.ts';
import type { User } from '../users/user.ts';
import type { UserStore } from '../users/user-store.ts';

/** What {@link Principals} is composed of. */
export interface PrincipalsDeps {
  readonly users: UserStore;
  readonly groups: GroupStore;
  readonly robots: RobotStore;
  readonly projects: ProjectLookup;
  readonly settings: IdentitySettings;
  readonly clock: () => number;
}

/** Makes principals of users and robots as they are now. */
export class Principals {
  readonly #deps: PrincipalsDeps;

  constructor(deps: PrincipalsDeps) {
    this.#deps = deps;
  }

  /** A user; with `grants`, at most what they allow. */
  async ofUser(user: User, grants?: readonly Grant[]): Promise<UserPrincipal> {
    return {
      kind: 'user',
      id: user.id,
      name: user.name,
      systemAdministrator: user.systemAdministrator || user.administratorBySource,
      groupIds: await this.#deps.groups.idsOf(user.id),
      ...(grants === undefined ? {} : { grants }),
    };
  }

  /** A robot, under its full name. */
  async ofRobot(robot: Robot): Promise<RobotPrincipal> {
    const { robotNamePrefix } = await this.#deps.settings.current();
    return {
      kind: 'robot',
      id: robot.id,
      name: `${robotNamePrefix}${robot.name}`,
      grants: await liveGrants(robot.grants, this.#deps.projects),
    };
  }

  /**
   * The principal as it is now: for tokens that outlive a request.
   *
   * `undefined` when the user or robot is gone, disabled or expired; the limits of an access token stay.
   */
  async renew(principal: Principal): Promise<Principal | undefined> {
    switch (principal.kind) {
      case 'anonymous':
        return principal;
      case 'user': {
        const user = await this.#deps.users.find(principal.id);
        return user === undefined ? undefined : this.ofUser(user, principal.grants);
      }
      case 'robot': {
        const robot = await this.#deps.robots.find(principal.id);
        const usable = robot !== undefined && !robot.disabled && !isExpired(robot, this.#deps.clock());
        return usable ? this.ofRobot(robot) : undefined;
      }
    }
  }
}
