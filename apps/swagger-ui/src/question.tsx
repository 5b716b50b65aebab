import { Modal } from './modal.tsx';
import { pageState, updatePage, usePageState } from './page-state.ts';
import type { Question } from './page-state.ts';
import { React } from './react.ts';

/** Asks and waits for the answer. */
export function ask(question: Omit<Question, 'answer'>): Promise<boolean> {
  pageState().question?.answer(false);
  return new Promise((resolve) => {
    const answer = (agreed: boolean): void => {
      updatePage({ question: null });
      resolve(agreed);
    };
    updatePage({ question: { ...question, answer } });
  });
}

/** The dialog. Escape means no, and *Cancel* has the focus at first. */
export function QuestionDialog(): React.JSX.Element | null {
  const question = usePageState((state) => state.question);
  if (question === null) return null;
  return (
    <Modal className="lk-question" labelledBy="lk-question-title" onEscape={() => question.answer(false)}>
      <h2 id="lk-question-title">{question.title}</h2>
      <ul>
        {question.things.map((thing) => (
          <li key={thing}>{thing}</li>
        ))}
      </ul>
      <p>{question.consequence}</p>
      <div className="lk-question-answers">
        <button type="button" className="lk-button" autoFocus onClick={() => question.answer(false)}>
          Cancel
        </button>
        <button type="button" className="lk-button lk-danger" onClick={() => question.answer(true)}>
          {question.verb}
        </button>
      </div>
    </Modal>
  );
}
