import { randomInt } from 'node:crypto';

const ADJECTIVES =
  'amber ample brave brisk calm clever cosmic eager early fair fond gentle glad golden grand happy hardy honest jolly keen kind lively lucid lucky mellow merry mighty modest noble patient placid polite proud quick quiet ready serene sharp shiny silent simple smart sound steady sunny swift tidy tranquil upbeat vivid warm wise witty'.split(
    ' ',
  );
const SURNAMES =
  'babbage bell boole brahmagupta carson cerf church codd curie darwin dijkstra einstein engelbart euclid euler faraday fermat feynman franklin galileo gauss germain goodall hamilton hawking heisenberg hertz hopper hypatia johnson kalam kepler knuth lamarr leavitt liskov lovelace maxwell mccarthy meitner mendel mirzakhani moore morse neumann newton noether pasteur perlman planck ptolemy raman ride ritchie rubin sagan shannon stallman swartz tesla thompson torvalds turing villani wescoff wozniak wright yalow'.split(
    ' ',
  );

/** A name for a container that was given none, such as `brave_turing`; with a digit when the plain one was taken. */
export function randomName(withDigit: boolean): string {
  const name = `${pick(ADJECTIVES)}_${pick(SURNAMES)}`;
  return withDigit ? `${name}${randomInt(10)}` : name;
}

function pick(words: readonly string[]): string {
  return words[randomInt(words.length)] ?? 'quiet';
}
