// What pages are made of. Each part is an element of HTML that browsers make accessible by themselves.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Problems } from "../api/client";
import { text } from "../text";
import { number } from "./format";

type Children = { children?: ComponentChildren };

export function Heading({ title, children, back }: Children & { title: string; back?: { href: string; label: string } }) {
  useEffect(() => {
    document.title = `${title} – couponql`;
  }, [title]);
  return (
    <header class="heading">
      <div>
        {back && (
          <a class="back" href={back.href}>
            ‹ {back.label}
          </a>
        )}
        <h1>{title}</h1>
      </div>
      <div class="actions">{children}</div>
    </header>
  );
}

export function Card({ title, children, actions, id }: Children & { title?: string; actions?: ComponentChildren; id?: string }) {
  return (
    <section class="card" id={id}>
      {title && (
        <div class="card-head">
          <h2>{title}</h2>
          <div class="actions">{actions}</div>
        </div>
      )}
      {children}
    </section>
  );
}

/** The words for a value of an enum: those of text.ts, or the value made readable where it is new. */
export const words = (value: string) =>
  (text.values as Record<string, string>)[value] ?? value.charAt(0) + value.slice(1).toLowerCase().replaceAll("_", " ");

const tones: Record<string, string> = {
  ACTIVE: "good",
  AVAILABLE: "good",
  FINISHED: "good",
  SUCCEEDED: "good",
  SENT: "good",
  DONE: "good",
  READY: "good",
  REDEEMED: "accent",
  IN_PROGRESS: "accent",
  RUNNING: "accent",
  SCHEDULED: "accent",
  ASSIGNED: "accent",
  PAUSED: "warn",
  REFUSED: "warn",
  WARNING: "warn",
  UNKNOWN: "warn",
  FAILED: "bad",
  STOPPED: "bad",
  ERROR: "bad",
};

export const Status = ({ value }: { value: string }) => <span class={`status ${tones[value] ?? ""}`}>{words(value)}</span>;

export function Empty({ title, children }: Children & { title: string }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children}
    </div>
  );
}

export function Failure({ error }: { error: Error | undefined }) {
  if (!error) return null;
  const lines = error instanceof Problems ? error.problems.map(({ message }) => message) : [error.message];
  return (
    <div class="notice bad" role="alert">
      {lines.map((line) => (
        <p key={line}>{line}</p>
      ))}
    </div>
  );
}

export const Loading = () => (
  <p class="quiet" role="status">
    {text.loading}
  </p>
);

/** A share of a whole, with its words for those who do not see it. */
export function Bar({ parts, total, label }: { parts: { value: number; tone: string }[]; total: number; label: string }) {
  return (
    <div class="bar" role="img" aria-label={label} title={label}>
      {parts.map(({ value, tone }) => (
        <span key={tone} class={tone} style={{ width: `${total > 0 ? (100 * value) / total : 0}%` }} />
      ))}
    </div>
  );
}

export function Progress({ value, label }: { value: number; label: string }) {
  const id = useId();
  return (
    <div class="progress">
      <label for={id}>{label}</label>
      <progress id={id} max={1} value={value} />
    </div>
  );
}

/** A box of the page's own browser: it holds the focus, and Escape closes it. */
export function Dialog({ title, close, children, isWide }: Children & { title: string; close: () => void; isWide?: boolean }) {
  const box = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    box.current?.showModal();
  }, []);
  return (
    <dialog
      ref={box}
      class={isWide ? "wide" : ""}
      aria-labelledby={id}
      onClose={close}
      onClick={(event) => event.target === box.current && box.current?.close()}
    >
      <div class="dialog">
        <header class="card-head">
          <h2 id={id}>{title}</h2>
          <button type="button" class="plain" aria-label={text.close} onClick={() => box.current?.close()}>
            ✕
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

export function Field({
  label,
  hint,
  error,
  children,
}: {
  label: string;
  hint?: ComponentChildren;
  error?: string | undefined;
  children: (attributes: { id: string; "aria-describedby"?: string; "aria-invalid"?: boolean }) => JSX.Element;
}) {
  const id = useId();
  const isDescribed = Boolean(hint || error);
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children({ id, ...(isDescribed && { "aria-describedby": `${id}-hint` }), ...(error && { "aria-invalid": true }) })}
      {isDescribed && (
        <p class={error ? "hint bad" : "hint"} id={`${id}-hint`}>
          {error ?? hint}
        </p>
      )}
    </div>
  );
}

/** What a problem of the API says of one field of a form. */
export const problemOf = (error: Error | undefined, field: string) =>
  error instanceof Problems
    ? error.problems.find(({ field: path }) => path?.at(-1) === field || path?.includes(field))?.message
    : undefined;

/** A button of a list of options that exclude each other. */
export function Select<Value extends string>({
  value,
  options,
  onChange,
  empty,
  ...attributes
}: {
  value: Value | "";
  options: readonly Value[] | { value: Value; label: string }[];
  onChange: (value: Value | "") => void;
  empty?: string;
  id?: string;
  "aria-label"?: string;
  "aria-describedby"?: string;
  "aria-invalid"?: boolean;
}) {
  return (
    <select {...attributes} value={value} onChange={(event) => onChange(event.currentTarget.value as Value | "")}>
      {empty !== undefined && <option value="">{empty}</option>}
      {options.map((option) => {
        const [it, label] = typeof option === "string" ? [option, words(option)] : [option.value, option.label];
        return (
          <option key={it} value={it}>
            {label}
          </option>
        );
      })}
    </select>
  );
}

export function Facts({ facts }: { facts: [string, ComponentChildren][] }) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** Large numbers of a page, each with what it counts. */
export function Numbers({ items }: { items: [string, ComponentChildren][] }) {
  return (
    <dl class="numbers">
      {items.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{typeof value === "number" ? number(value) : value}</dd>
        </div>
      ))}
    </dl>
  );
}
