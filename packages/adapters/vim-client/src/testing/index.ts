export { vimServerSuite } from './vim-server-suite.ts';
export type { VimServerQuirks, VimServerSuiteOptions, VimServerUnderTest } from './server-under-test.ts';
