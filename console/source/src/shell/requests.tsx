// Shows what the page sent to the API, and opens it in the playground.
import { useState } from "preact/hooks";
import { playgroundLink, requests } from "../api/client";
import { Dialog } from "../part/parts";
import { text } from "../text";

export function Requests() {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <button type="button" class="plain" onClick={() => setIsOpen(true)}>
        {text.requests.show}
      </button>
      {isOpen && (
        <Dialog title={text.requests.title} close={() => setIsOpen(false)} isWide>
          <p class="quiet">{text.requests.hint}</p>
          {requests.value.toReversed().map((sent, i) => (
            <details key={sent.name} class="request" open={i === 0}>
              <summary>
                {sent.name} <span class="quiet">{sent.kind}</span>
              </summary>
              <a class="button" href={playgroundLink(sent)}>
                {text.requests.open}
              </a>
              <pre tabIndex={0}>{sent.query}</pre>
              <p class="quiet">{text.requests.variables}</p>
              <pre tabIndex={0}>{JSON.stringify(sent.variables, null, 2)}</pre>
            </details>
          ))}
        </Dialog>
      )}
    </>
  );
}
