export { sampleConfiguration } from './sample-configuration.ts';
