namespace Moat.Control;

/// <summary>A part of the container's files that comes from the host.</summary>
public sealed record BootMount
{
    /// <summary>Where it is mounted in the container, absolute; / for the root.</summary>
    public required string Destination { get; init; }

    /// <summary>The index in <see cref="Oci.OciSpec.Mounts"/>; -1 for the root.</summary>
    public required int SpecIndex { get; init; }

    /// <summary>The connection to the Gofer that serves it.</summary>
    public required int GoferFd { get; init; }

    /// <summary>Whether nothing may be written.</summary>
    public required bool IsReadOnly { get; init; }

    /// <summary>Whether it is a directory.</summary>
    public required bool IsDirectory { get; init; }
}
