namespace Moat.Oci;

/// <summary>The size of a terminal in characters.</summary>
/// <param name="Height">Rows.</param>
/// <param name="Width">Columns.</param>
public sealed record OciBox(uint Height, uint Width);
