import { nameOf } from '@vic/authz';
import type { ArtifactSubject, EventOrigin } from '@vic/registry-api';
import type { Actor, RepositoryPlace } from './artifact-gate.ts';
import type { Artifact } from './artifact.ts';

/** Where something happened and who did it, as events say it. */
export function originOf(place: RepositoryPlace, actor: Actor): EventOrigin {
  return {
    projectId: place.project.id,
    projectName: place.project.name,
    operator: nameOf(actor.principal),
    ...(actor.address === undefined ? {} : { address: actor.address }),
    ...(actor.breakGlass === undefined ? {} : { breakGlass: actor.breakGlass }),
    ...(actor.replicatedFrom === undefined ? {} : { replicatedFrom: actor.replicatedFrom }),
  };
}

/** What an event says of an artifact, less the event's type. */
export function eventOf(
  place: RepositoryPlace,
  actor: Actor,
  artifact: Artifact,
  tags: readonly string[],
): EventOrigin & ArtifactSubject {
  return {
    ...originOf(place, actor),
    artifactId: artifact.id,
    repository: place.repository,
    digest: artifact.digest,
    tags,
    mediaType: artifact.manifestMediaType,
    artifactType: artifact.type,
  };
}
