using System.Text.Json.Serialization;

namespace Moat.Control;

/// <summary>What can be asked of a running sandbox.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ControlMethod>))]
public enum ControlMethod
{
    /// <summary>Makes another container in the sandbox (<see cref="ControlRequest.Config"/>), up to its first process.</summary>
    Add,

    /// <summary>Status and first process. Always answered at once.</summary>
    State,

    /// <summary>Finds the first process's program, so that what cannot be started is not created.</summary>
    Prepare,

    /// <summary>Takes over the network namespace, once and before the first process. Its descriptors, all opened there: a packet socket, one of NETLINK_ROUTE that is told of changes,
    /// one that only needs to stay open, and, if loopback is up there, a UDP socket connected to the engine's resolver.
    /// With --network=host there is only the one of NETLINK_ROUTE, for what is shown.</summary>
    Network,

    /// <summary>Starts the first process, once.</summary>
    Start,

    /// <summary>Waits until a process has ended (<see cref="ControlRequest.Pid"/>; 0 for the first).</summary>
    Wait,

    /// <summary>Sends a signal.</summary>
    Signal,

    /// <summary>Starts another process, with three descriptors: its standard input, output and error.</summary>
    Exec,

    /// <summary>Lists processes.</summary>
    Processes,

    /// <summary>Counts of resources.</summary>
    Statistics,

    /// <summary>Collects garbage, then counts what the Sentry holds.</summary>
    Memory,

    /// <summary>Stops the container's application code until <see cref="Resume"/>.</summary>
    Pause,

    /// <summary>Undoes <see cref="Pause"/>.</summary>
    Resume,

    /// <summary>Kills everything in the container and forgets it; with the first container the Sentry ends.</summary>
    Destroy,
}
