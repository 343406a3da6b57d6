import type { Principal, ProjectIdentity } from '@vic/authz';
import { VicError } from '@vic/errors';

/** Something a request needs, in the words of the token protocol: `repository:library/busybox:pull,push`. */
export interface WantedAccess {
  readonly type: 'repository' | 'registry';
  /** The repository's name, or `catalog`. */
  readonly name: string;
  readonly actions: readonly string[];
}

/** What access is decided on. */
export interface AccessRequest {
  readonly method: string;
  readonly authorization: string | undefined;
  /** The `Host` header, for the realm of the challenge. */
  readonly host: string | undefined;
  /** The address of the client, for brute-force protection. */
  readonly address: string;
  /** All of it is needed. Empty for `GET /v2/`: any valid credentials do. */
  readonly wanted: readonly WantedAccess[];
  /**
   * Asked for in the challenge, so that the client's next token covers it, but not needed: the source of a mount.
   * {@link Access.allows} tells later whether it was granted.
   */
  readonly useful?: readonly WantedAccess[];
}

/** Access that was granted. */
export interface Access {
  readonly principal: Principal;
  /** The project of the first wanted repository; absent when there is no such project. */
  readonly project: ProjectIdentity | undefined;
  /** Whether the caller may also do this; never throws for a mere refusal. */
  allows(wanted: WantedAccess): Promise<boolean>;
  /** The projects whose repositories the caller may see in the catalog. */
  visibleProjects(): Promise<readonly number[] | 'all'>;
}

/** Decides about requests to `/v2`; implemented by the token service. */
export interface DistributionAccess {
  /**
   * Throws {@link AccessChallenge} when other credentials could help, `PermissionDenied` when none would.
   */
  authorize(request: AccessRequest): Promise<Access>;
}

/** A refusal that tells the client how to authenticate: 401 with `WWW-Authenticate`. */
export class AccessChallenge extends VicError {
  /** The value of `WWW-Authenticate`. */
  readonly challenge: string;

  constructor(challenge: string, message = 'authentication required') {
    super({ class: 'Unauthenticated', code: 'ACCESS_CHALLENGE', message });
    this.challenge = challenge;
  }
}
