import { dockerEnvironmentOf, networkOf } from '@vic/vch';
import type { VchConfiguration } from '@vic/vch';

/** What is said about a VCH, to people and to programs. */
export interface Summary {
  readonly value: Readonly<Record<string, unknown>>;
  readonly lines: readonly string[];
}

/** How to use a VCH, in the words the original used. */
export function summaryOf(configuration: VchConfiguration, id: string, certificatePath?: string): Summary {
  const environment = dockerEnvironmentOf(configuration, certificatePath);
  const address = networkOf(configuration, 'public').address.replace(/\/.*/, '');
  const variables = Object.entries(environment.variables).map(([name, value]) => `${name}=${value}`);
  return {
    value: {
      id,
      name: configuration.name,
      version: configuration.createdByVersion,
      address,
      dockerHost: environment.dockerHost,
      environment: environment.variables,
      connect: environment.command,
    },
    lines: [
      `VCH ID: ${id}`,
      '',
      'Published ports can be reached at:',
      address,
      '',
      'Docker environment variables:',
      variables.join(' '),
      ...(certificatePath === undefined
        ? []
        : ['', 'Environment saved in', `${certificatePath}/${configuration.name}.env`]),
      '',
      'Connect to docker:',
      environment.command,
    ],
  };
}
