import { isVicError } from '@vic/errors';
import type { Image, ImageBackend } from '../backends.ts';
import { invalid, notFound } from '../http/docker-error.ts';
import { familiarReference } from './reference.ts';

/** The image a client means, with Docker's words when there is none. */
export function findImage(images: Pick<ImageBackend, 'get'>, reference: string): Image {
  try {
    return images.get(reference);
  } catch (error) {
    if (isVicError(error, { class: 'NotFound' }))
      throw notFound(`No such image: ${familiarReference(reference)}`, error);
    if (isVicError(error, { class: 'InvalidArgument' })) throw invalid(error.message);
    throw error;
  }
}
