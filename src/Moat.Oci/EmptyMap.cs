namespace Moat.Oci;

/// <summary>The map that stands for an absent one.</summary>
internal static class EmptyMap
{
    /// <summary>Has no entries.</summary>
    public static readonly IReadOnlyDictionary<string, string> Instance = new Dictionary<string, string>();
}
