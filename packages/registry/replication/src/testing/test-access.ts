import { ANONYMOUS } from '@vic/authz';
import type { Principal } from '@vic/authz';
import { AccessChallenge } from '@vic/distribution';
import type { Access, AccessRequest, DistributionAccess } from '@vic/distribution';
import type { Projects } from '@vic/projects';

/** Whoever signs in as `admin:secret`. */
export const ADMIN: Principal = { kind: 'user', id: 1, name: 'admin', systemAdministrator: true, groupIds: [] };

const BASIC = `Basic ${Buffer.from('admin:secret').toString('base64')}`;

/** The principal of an `Authorization` header. */
export function principalOfHeader(authorization: string | undefined): Principal {
  return authorization === BASIC ? ADMIN : ANONYMOUS;
}

/** `admin` may do everything, others pull from public projects. */
export class TestAccess implements DistributionAccess {
  readonly #projects: Pick<Projects, 'findByName'>;

  constructor(projects: Pick<Projects, 'findByName'>) {
    this.#projects = projects;
  }

  async authorize(request: AccessRequest): Promise<Access> {
    const principal = principalOfHeader(request.authorization);
    const name = request.wanted[0]?.name.split('/')[0] ?? '';
    const project = await this.#projects.findByName(name);
    const mayPull = project?.public === true && request.wanted.every(({ actions }) => actions.join() === 'pull');
    if (principal.kind === 'anonymous' && !mayPull) throw new AccessChallenge('Basic realm="test"');
    return { principal, project, allows: async () => true, visibleProjects: async () => 'all' };
  }
}
