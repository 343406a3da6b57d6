import { vimServerSuite } from '@vic/vim-client/testing';
import { startHost } from './testing/host-under-test.ts';

vimServerSuite({ name: 'hostd', start: async () => startHost() });
