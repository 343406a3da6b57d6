export { parseConfiguration, readConfiguration } from './read-configuration.ts';
