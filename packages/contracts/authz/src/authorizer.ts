import type { Permission } from './permission.ts';
import type { Principal } from './principal.ts';

/** A project as far as authorization needs to know it. */
export interface ProjectIdentity {
  readonly id: number;
  readonly name: string;
  readonly public: boolean;
}

/** Decides; implemented by the owner of projects and memberships. */
export interface Authorizer {
  /** Whether the principal may, in that project or, without one, in the system. */
  isAllowed(principal: Principal, permission: Permission, project?: ProjectIdentity): Promise<boolean>;
}
