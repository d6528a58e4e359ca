namespace Moat.Control;

/// <summary>What a Sentry does at the command line's request. Called by several threads at once, one for each connection.</summary>
public interface IControlHandler
{
    /// <summary>Answers a request. May block (<see cref="ControlMethod.Wait"/>); should give up when the caller has gone.</summary>
    /// <param name="request">The request; its numbers are not checked yet.</param>
    /// <param name="descriptors">Descriptors that came with it. The handler takes those that it keeps out of the list; the rest is closed.</param>
    /// <param name="callerGone">Set when nobody waits for the answer any more.</param>
    ControlReply Handle(ControlRequest request, List<int> descriptors, CancellationToken callerGone);
}
