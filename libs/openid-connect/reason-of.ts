/** Messages of the error and its causes, without their stacks and without what the provider sent. */
export function reasonOf(error: unknown): string {
  const messages: string[] = [];
  for (let cause = error; cause instanceof Error && messages.length < 5; cause = cause.cause)
    messages.push(cause.message);
  return messages.join(': ');
}
