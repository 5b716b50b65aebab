// Runs in the thread that password-scores.ts makes.
import { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { adjacencyGraphs, dictionary } from '@zxcvbn-ts/language-common';
import { lowerPriority } from './thread-priority.ts';

lowerPriority();
const scorer = new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs });

/** The zxcvbn score of a text, from 0 to 4. @param words what this user's password should not be made of */
export function score({ text, words }: { text: string; words: readonly string[] }): number {
  return scorer.check(text, [...words]).score;
}
