using System.Globalization;
using System.Text.Json.Serialization;
using Moat.Oci;
using Moat.Runtime.State;

namespace Runsc.Commands;

/// <summary>A container as <c>list</c> shows it, with runc's names.</summary>
internal sealed record ListedContainer
{
    /// <summary>The specification's version.</summary>
    public required string OciVersion { get; init; }

    /// <summary>The id.</summary>
    public required string Id { get; init; }

    /// <summary>The Sentry's pid; 0 once it is gone.</summary>
    public required int Pid { get; init; }

    /// <summary>The status.</summary>
    public required string Status { get; init; }

    /// <summary>The bundle.</summary>
    public required string Bundle { get; init; }

    /// <summary>The root.</summary>
    public required string Rootfs { get; init; }

    /// <summary>When it was made.</summary>
    public required string Created { get; init; }

    /// <summary>Annotations.</summary>
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }

    /// <summary>Who made it.</summary>
    public required string Owner { get; init; }

    /// <summary>Makes one of a record.</summary>
    public static ListedContainer From(ContainerRecord record, ContainerStatus status)
    {
        OciState state = record.ToState(status);
        return new ListedContainer
        {
            OciVersion = state.OciVersion,
            Id = record.Id,
            Pid = state.Pid ?? 0,
            Status = state.Status,
            Bundle = record.Bundle,
            Rootfs = record.Rootfs,
            Created = record.Created.ToString("yyyy-MM-dd'T'HH:mm:ss.fffffff'Z'", CultureInfo.InvariantCulture),
            Annotations = state.Annotations,
            Owner = record.OwnerUid == 0 ? "root" : record.OwnerUid.ToString(CultureInfo.InvariantCulture),
        };
    }
}
