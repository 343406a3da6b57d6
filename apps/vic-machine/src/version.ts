import manifest from '../package.json' with { type: 'json' };

/** Version of this program, and of the virtual container hosts it makes. */
export const VERSION: string = manifest.version;
