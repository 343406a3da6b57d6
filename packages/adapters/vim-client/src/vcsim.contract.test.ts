import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { vimServerSuite } from './testing/index.ts';
import { PEERS, startVcsim } from './testing/vcsim.ts';

vimServerSuite({
  name: 'vcsim -esx',
  start: startVcsim,
  unavailable: existsSync(join(PEERS, 'vcsim'))
    ? undefined
    : 'vcsim -esx is not installed; run node tools/install-peers.ts',
  quirks: {
    acceptsAnyElements: true,
    allowsDuplicateNames: true,
    ignoresChangeVersion: true,
    openFolder: true,
    forgetsVersions: true,
  },
});
