"""What leaves the program: ONNX, backbone weights that timm loads, and a card that says what the model is."""
