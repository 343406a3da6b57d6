import { API_VERSION, MIN_API_VERSION } from '@vic/docker-api';
import type { Call } from '../http/call.ts';
import type { PersonalityContext } from '../personality.ts';

/** `GET /version`. */
export async function version(context: PersonalityContext, call: Call): Promise<void> {
  const system = await context.system.describe(call.signal);
  const runtime = `node${process.version}`;
  call.json(200, {
    Platform: { Name: 'vSphere Integrated Containers' },
    Components: [
      {
        Name: 'Engine',
        Version: system.version,
        Details: {
          ApiVersion: API_VERSION,
          Arch: system.architecture,
          BuildTime: system.builtAt,
          Experimental: 'false',
          GitCommit: system.gitCommit,
          GoVersion: runtime,
          KernelVersion: system.kernelVersion,
          MinAPIVersion: MIN_API_VERSION,
          Os: 'linux',
        },
      },
    ],
    Version: system.version,
    ApiVersion: API_VERSION,
    MinAPIVersion: MIN_API_VERSION,
    GitCommit: system.gitCommit,
    // Clients print this as the engine's language runtime.
    GoVersion: runtime,
    Os: 'linux',
    Arch: system.architecture,
    KernelVersion: system.kernelVersion,
    BuildTime: system.builtAt,
  });
}
