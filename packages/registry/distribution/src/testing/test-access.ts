import { ANONYMOUS, type Principal, type ProjectIdentity } from '@vic/authz';
import {
  type Access,
  AccessChallenge,
  type AccessRequest,
  type DistributionAccess,
  type WantedAccess,
} from '../distribution-access.ts';

/** A user of the test's registry. */
const TEST_USER: Principal = {
  kind: 'user',
  id: 1,
  name: 'ada',
  systemAdministrator: true,
  groupIds: [],
};

/** The projects there are. */
export const TEST_PROJECTS: readonly ProjectIdentity[] = [
  { id: 1, name: 'library', public: false },
  { id: 2, name: 'public', public: true },
  { id: 3, name: 'conformance', public: false },
];

/** Access by Basic credentials `ada:secret`: ada may do everything, nobody else anything but pull from `public`. */
export class TestAccess implements DistributionAccess {
  /** Whether credentials are needed at all. */
  readonly #open: boolean;

  constructor(options: { readonly open: boolean }) {
    this.#open = options.open;
  }

  async authorize(request: AccessRequest): Promise<Access> {
    const principal = this.#principalOf(request);
    const refused = request.wanted.find((wanted) => !this.#allows(principal, wanted));
    if (refused !== undefined || (request.wanted.length === 0 && principal.kind === 'anonymous')) {
      throw new AccessChallenge(`Basic realm="test ${request.host ?? ''}"`);
    }
    const [first] = request.wanted;
    return {
      principal,
      project: this.#projectOf(first?.name ?? ''),
      allows: async (wanted) => this.#allows(principal, wanted),
      visibleProjects: async () => (principal.kind === 'anonymous' ? [2] : 'all'),
    };
  }

  #principalOf({ authorization }: AccessRequest): Principal {
    if (this.#open) return TEST_USER;
    const expected = `Basic ${Buffer.from('ada:secret').toString('base64')}`;
    return authorization === expected ? TEST_USER : ANONYMOUS;
  }

  #allows(principal: Principal, wanted: WantedAccess): boolean {
    if (principal.kind !== 'anonymous') return true;
    if (wanted.type === 'registry') return true;
    return this.#projectOf(wanted.name)?.public === true && wanted.actions.every((action) => action === 'pull');
  }

  #projectOf(name: string): ProjectIdentity | undefined {
    return TEST_PROJECTS.find((project) => name.startsWith(`${project.name}/`));
  }
}
